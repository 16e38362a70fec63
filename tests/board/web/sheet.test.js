import assert from "node:assert/strict";
import test from "node:test";
import { tint } from "../../../tbtrace/board/static/tint.js";
import { Memory } from "../../../tbtrace/board/static/memory.js";
import { Sheet, blockOf, complete } from "../../../tbtrace/board/static/sheet.js";
import { tracks } from "../../../tbtrace/board/static/trails.js";
import { styleOf } from "../../../tbtrace/board/static/ways.js";
import { recordingOf } from "./answers.js";

/** What was drawn on the canvas, by the lengths of its paths. @type {number[]} */
let strokes = [];

class Path {
  size = 0;
  moveTo() {}
  lineTo() {
    this.size += 1;
  }
  arc() {}
}

const quiet = ["save", "restore", "setTransform", "beginPath", "rect", "clip", "fill", "drawImage"].map((name) => [name, () => {}]);
const context = { stroke: (/** @type {Path} */ path) => strokes.push(path.size), ...Object.fromEntries(quiet) };
const window = /** @type {any} */ (globalThis);
window.Path2D = Path;
window.document = { createElement: () => ({ getContext: () => context }) };

/** @param {number} count @param {number} rows @param {number|"all"} trail @returns {import("../../../tbtrace/board/static/paint.js").Picture} */
function picture(count, rows, trail = Infinity) {
  const recording = recordingOf(...Array.from({ length: count }, (_, i) => ({ name: `e${i}`, points: [...Array(rows).keys()].flatMap((row) => [row * 2, i]) })));
  const all = tracks(recording, "xy");
  const view = { x: rows, y: 0, scale: 1, stretch: 1, dirX: 1, dirY: 1, left: 0, top: 0, width: 4 * rows, height: 400 };
  return { recording, tracks: all, selected: new Set(), trail, tint: tint({ by: "entity" }, all, new Memory(), "light"), view, scene: null, plane: "xy", backdrop: null, theme: "light" };
}

/** @param {import("../../../tbtrace/board/static/paint.js").Picture} of */
function sheetOf(of) {
  const sheet = new Sheet(false);
  const begun = { times: 0 };
  const layer = { tracks: of.tracks, tint: of.tint, points: of.tracks.length * (of.recording?.entities[0].steps.length ?? 0) };
  const grow = (/** @type {number} */ blocks, hurry = false) => {
    strokes = [];
    sheet.grow(of, layer, blocks, hurry, () => begun.times++);
    return strokes.reduce((sum, size) => sum + size, 0);
  };
  return { sheet, begun, grow };
}

test("lines have their full colour and two pixels in every crowd", () => {
  for (const count of [1, 60, 61, 5000]) {
    const { width, alpha, near } = styleOf(count, 2, 0);
    assert.ok(width >= 2 && alpha === 1 && near === 1);
  }
});

test("blocks follow upon each other, and crowds have short ones", () => {
  const few = picture(3, 300);
  assert.deepEqual([0, 63, 64, 299].map((step) => complete(few, step)), [0, 0, 1, 4]);
  assert.equal(blockOf(few, 1).from, blockOf(few, 0).to + 1);
  assert.equal(complete(picture(400, 40), 32), 2);
  assert.deepEqual([complete(picture(1, 9, "all"), 0), complete(picture(1, 9, 5), 8)], [1, 0]);
});

test("a block is drawn once; who goes back begins anew", () => {
  const { begun, grow } = sheetOf(picture(2, 300));
  assert.equal(grow(1), 2 * 63);
  assert.equal(grow(2), 2 * 64);
  assert.equal(grow(2), 0);
  assert.equal(begun.times, 1);
  assert.equal(grow(1), 2 * 63);
  assert.equal(begun.times, 2);
});

test("many points are drawn roughly in a hurry, and finely as soon as there is time", () => {
  const { sheet, begun, grow } = sheetOf(picture(20, 1000));
  const rough = grow(15, true);
  assert.ok(sheet.rough && rough < 20 * 500);
  assert.equal(grow(15, true), 0);
  assert.equal(grow(15), 20 * (15 * 64 - 1));
  assert.ok(!sheet.rough && begun.times === 2);
  const small = sheetOf(picture(2, 1000));
  assert.equal(small.grow(15, true), 2 * (15 * 64 - 1));
  assert.ok(!small.sheet.rough);
});

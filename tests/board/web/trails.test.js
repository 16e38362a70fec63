import assert from "node:assert/strict";
import test from "node:test";
import { extentOf, present, rowAt, rowsOf, runsOf, spanOf, tracks } from "../../../tbtrace/board/static/trails.js";
import { walk } from "../../../tbtrace/board/static/ways.js";
import { recordingOf, tracksOf } from "./answers.js";

const GAP = [NaN, NaN];
const VIEW = { x: 0, y: 0, scale: 10, stretch: 1, dirX: 1, dirY: 1, left: 0, top: 0, width: 400, height: 400 };

/**
 * Returns what is drawn of rows, as text: "M" and "L" with data coordinates, "." of a dot.
 *
 * @param {number[]} points
 * @param {number} [from]
 * @param {number} [to]
 * @param {number[]} [classes]
 */
function drawn(points, from = 0, to = points.length / 2, classes) {
  const [track] = tracksOf({ points });
  /** @type {string[]} */
  const said = [];
  const at = (/** @type {number} */ u, /** @type {number} */ v) => `${Math.round((u - 200) / 10)},${Math.round((200 - v) / 10)}`;
  walk(track, [0, 0, 0], VIEW, from, to, 1, classes ? Uint8Array.from(classes) : null, (row) => ({
    moveTo: (u, v) => said.push(`M${classes ? `(${classes[row]})` : ""}${at(u, v)}`),
    lineTo: (u, v) => said.push(`L${at(u, v)}`),
  }), (u, v) => said.push(`.${at(u, v)}`));
  return said.join(" ");
}

test("a gap breaks the line, and what is alone is a dot", () => {
  assert.deepEqual([...runsOf(Float32Array.from([...GAP, 0, 0, 1, NaN, 2, 2, 3, 3, ...GAP]), 2)], [1, 2, 3, 5]);
  assert.equal(drawn([0, 0, 1, 0, ...GAP, 2, 0, ...GAP, 3, 0, 4, 0]), "M0,0 L1,0 .2,0 M3,0 L4,0");
  assert.equal(tracksOf({ points: [...GAP, ...GAP] }).length, 0);
});

test("what stands still is a dot, once, and goes on from there", () => {
  assert.equal(drawn([5, 5, 5, 5, 5, 5]), ".5,5");
  assert.equal(drawn([5, 5, 5, 5, 5, 5], 1), "");
  assert.equal(drawn([0, 0, 0, 0, 1, 0, 1, 0]), "M0,0 L1,0 L1,0");
});

test("a part of a way is drawn", () => {
  assert.equal(drawn([0, 0, 1, 0, 2, 0, 3, 0, ...GAP, 4, 0], 1, 3), "M1,0 L2,0");
  assert.equal(drawn([0, 0, 1, 0, ...GAP, 4, 0], 2, 4), ".4,0");
  assert.equal(drawn([0, 0, 1, 0], 1, 1), "");
});

test("pieces have the class of where they begin; of a standstill the last one", () => {
  assert.equal(drawn([0, 0, 1, 0, 2, 0, 3, 0], 0, 4, [7, 7, 8, 9]), "M(7)0,0 L1,0 L2,0 M(8)2,0 L3,0");
  assert.equal(drawn([0, 0, 0, 0, 0, 0, 3, 0], 0, 4, [7, 8, 9, 9]), "M(9)0,0 L3,0");
});

test("pieces on one side of the box are left out, those across it are not", () => {
  assert.equal(drawn([90, 0, 91, 5, 90, 9, 0, 0]), "M90,9 L0,0");
  assert.equal(drawn([-90, 0, 90, 0]), "M-90,0 L90,0");
});

test("rows are found by steps", () => {
  const steps = Int32Array.from([2, 4, 4, 9]);
  assert.deepEqual([0, 2, 3, 4, 8, 9, 99].map((step) => rowAt(steps, step)), [-1, 0, 0, 2, 2, 3, 3]);
  assert.equal(rowAt(new Int32Array(0), 5), -1);
  assert.deepEqual(rowsOf(steps, spanOf(8, Infinity)), [0, 3]);
  assert.deepEqual(rowsOf(steps, spanOf(8, 4)), [1, 3]);
  assert.deepEqual(rowsOf(steps, spanOf(8, 1)), [3, 3]);
  assert.deepEqual(rowsOf(steps, spanOf(0, "all")), [0, 4]);
});

test("an entity is there from its first to its last step, but for gaps", () => {
  const [track] = tracksOf({ steps: [2, 4, 6, 8], points: [0, 0, 1, 1, ...GAP, 3, 3] });
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7, 8, 9].map((step) => present(track, step)), [-1, 0, 0, 1, 1, -1, -1, 3, -1]);
});

test("only what a plane can show is a track", () => {
  const recording = recordingOf({ name: "flat", points: [1, 2] }, { name: "solid", dims: 3, points: [1, 2, 3, 4, 5, NaN] }, { name: "gone", dims: 3, points: [1, 2, NaN] });
  const names = (/** @type {"xy"|"xz"} */ plane) => tracks(recording, plane).map(({ name }) => name);
  assert.deepEqual(names("xy"), ["flat", "solid"]);
  assert.deepEqual(names("xz"), ["solid"]);
  assert.deepEqual(extentOf(tracks(recording, "xz"), [100, 200, 300]), [101, 101, 303, 303]);
  assert.equal(extentOf([], [0, 0, 0]), null);
});

import assert from "node:assert/strict";
import test from "node:test";
import { NONE, OTHERS, PALETTE } from "../../../tbtrace/board/static/colours.js";
import { Memory } from "../../../tbtrace/board/static/memory.js";
import { tint } from "../../../tbtrace/board/static/tint.js";
import { tracks } from "../../../tbtrace/board/static/trails.js";
import { recordingOf } from "./answers.js";

/** @typedef {import("../../../tbtrace/board/static/tint.js").Colouring} Colouring */

/**
 * @param {import("../../../tbtrace/board/static/decode.js").Recording} recording
 * @param {Colouring} colouring
 * @param {Memory} [memory]
 */
function tinted(recording, colouring, memory = new Memory()) {
  memory.observe(recording);
  const all = tracks(recording, "xy");
  const made = tint(colouring, all, memory, "light");
  return { all, made, legend: made.legend(all) };
}

const at = (/** @type {string} */ name, /** @type {string} */ group = "g") => ({ group, name, points: [0, 0, 1, 1] });

test("entities keep their colours from one episode to the next", () => {
  const memory = new Memory();
  memory.observe(recordingOf(at("a"), at("b")));
  const { legend } = tinted(recordingOf(at("new"), at("b")), { by: "entity" }, memory);
  assert.deepEqual(legend, {
    kind: "list",
    items: [
      { label: "new", colour: PALETTE.light[2], key: '["g","new"]' },
      { label: "b", colour: PALETTE.light[1], key: '["g","b"]' },
    ],
    more: 0,
  });
});

test("groups have a colour each, and several groups name themselves", () => {
  const recording = recordingOf(at("a", "x"), at("b", "y"), at("c", "x"));
  const groups = tinted(recording, { by: "group" }).legend;
  assert.deepEqual(groups.kind === "list" && groups.items.map(({ label }) => label), ["x", "y"]);
  const { legend } = tinted(recording, { by: "channel", name: "unknown" }); // entities, then
  assert.deepEqual(legend.kind === "list" && legend.items.map(({ label }) => label), ["x/a", "y/b", "x/c"]);
});

test("a long legend says how many it leaves out", () => {
  const { legend } = tinted(recordingOf(...Array.from({ length: 303 }, (_, i) => at(`e${i}`))), { by: "entity" });
  assert.deepEqual(legend.kind === "list" && [legend.items.length, legend.more], [300, 3]);
});

test("numbers become classes of a ramp; what has none is grey", () => {
  const recording = recordingOf({ ...at("a"), channels: { speed: [0, 10] } }, { ...at("b"), channels: { speed: [NaN, 5] } }, at("c"));
  const { all, made, legend } = tinted(recording, { by: "channel", name: "speed" });
  const [a, b, c] = all.map((track) => [...(made.classes(track) ?? [])]);
  assert.deepEqual([a[0], b[0], c], [1, 0, [0, 0]]);
  assert.ok(a[1] > b[1] && b[1] > a[0]);
  assert.equal(made.ink(all[2], 0), NONE.light);
  assert.ok(legend.kind === "bar" && legend.low === 0 && legend.high >= 10 && legend.colours.length === 32);
});

test("a bar keeps the range of what was seen, and can be divided where all is alike", () => {
  const memory = new Memory();
  memory.observe(recordingOf({ ...at("a"), channels: { speed: [0, 100] } }));
  const { legend } = tinted(recordingOf({ ...at("a"), channels: { speed: [4, Infinity] } }), { by: "channel", name: "speed" }, memory);
  assert.ok(legend.kind === "bar" && legend.low === 0 && legend.high >= 100);
  const flat = tinted(recordingOf({ ...at("a"), channels: { speed: [3, 3] } }), { by: "channel", name: "speed" });
  assert.ok(flat.legend.kind === "bar" && flat.legend.low < 3 && flat.legend.high > 3);
});

test("states have colours in the order of first sight, and those beyond the twelfth one", () => {
  const states = Array.from({ length: 14 }, (_, i) => `s${i}`);
  const codes = [1, 0, ...Array.from({ length: 12 }, (_, i) => i + 2), 65535];
  const recording = recordingOf({ points: codes.flatMap((_, i) => [i, 0]), labels: { state: { states, codes } } });
  const { all, made, legend } = tinted(recording, { by: "channel", name: "state" });
  assert.equal(made.ink(all[0], 0), PALETTE.light[0]); // s1 came first
  assert.equal(made.ink(all[0], 13), OTHERS.light);
  assert.deepEqual(legend.kind === "list" && legend.items.map(({ label }) => label), ["s1", "s0", ...states.slice(2, 12), "other states", "no state"]);
});

test("time goes from the beginning to a round number of steps", () => {
  const { all, made, legend } = tinted(recordingOf({ steps: [0, 900], points: [0, 0, 1, 1] }), { by: "time" });
  assert.deepEqual([...(made.classes(all[0]) ?? [])], [1, 32]);
  assert.ok(legend.kind === "bar" && legend.low === 0 && legend.high === 900);
});

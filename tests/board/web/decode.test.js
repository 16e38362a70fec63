import assert from "node:assert/strict";
import test from "node:test";
import { decode } from "../../../tbtrace/board/static/decode.js";
import { answer } from "./answers.js";

const WHOLE = {
  group: "g", name: "a\"\u0000", steps: [2, 5, 5], points: [0, 1, NaN, NaN, 2, 3],
  channels: { speed: [1, NaN, 3] }, labels: { state: { states: ["on"], codes: [0, 65535, 0] } },
};

test("an answer becomes arrays where they lie", () => {
  const scene = { extent: [0, 4, 4, 0], units: "m", axes: ["x", "y"], places: { dock: [1, 2] }, background: "" };
  const buffer = answer([WHOLE, { name: "b", dims: 3, steps: 7, points: [1, 2, 3, 4, 5, 6] }], { scene, return: -1.5 });
  const recording = decode(buffer);
  const [a, b] = recording.entities;
  assert.deepEqual([...a.steps], [2, 5, 5]);
  assert.deepEqual([...a.points], [0, 1, NaN, NaN, 2, 3]);
  assert.deepEqual([...(a.channels.get("speed") ?? [])], [1, NaN, 3]);
  assert.deepEqual([...(a.labels.get("state")?.codes ?? [])], [0, 65535, 0]);
  assert.equal(a.key, JSON.stringify(["g", "a\"\u0000"]));
  assert.equal(a.points.buffer, buffer);
  assert.deepEqual([...b.steps], [7, 8]);
  assert.deepEqual([recording.firstStep, recording.lastStep, recording.return], [2, 8, -1.5]);
  assert.deepEqual(recording.scene?.places.dock, [1, 2]);
});

test("no entities, and entities without points, have no steps", () => {
  assert.deepEqual([decode(answer([])).firstStep, decode(answer([])).lastStep], [0, 0]);
  assert.equal(decode(answer([{ points: [] }])).lastStep, 0);
});

test("an answer that is cut anywhere is refused with a sentence", () => {
  const buffer = answer([WHOLE]);
  for (let size = 0; size < buffer.byteLength - 7; size++) {
    assert.throws(() => decode(buffer.slice(0, size)), /^Error: This episode cannot be read: .*\.$/);
  }
});

/** @type {[string, (header: Record<string, any>) => void][]} */
const SPOILT = [
  ["an offset outside", (h) => (h.entities[0].points[0] = 8000)],
  ["a negative offset", (h) => (h.entities[0].points[0] = -8)],
  ["an offset between numbers", (h) => (h.entities[0].points[0] += 1)],
  ["a broken offset", (h) => (h.entities[0].points[0] = 0.5)],
  ["another length", (h) => (h.entities[0].points[1] = 4)],
  ["fewer steps", (h) => (h.entities[0].steps[1] = 2)],
  ["a huge count", (h) => Object.assign(h.entities[0], { count: 1e9, steps: { first: 0 } })],
  ["a negative count", (h) => (h.entities[0].count = -1)],
  ["four dimensions", (h) => (h.entities[0].dims = 4)],
  ["a name that is no text", (h) => (h.entities[0].name = 5)],
  ["states that are no texts", (h) => (h.entities[0].labels.state.states = [{}])],
  ["no entities", (h) => delete h.entities],
  ["an origin of two numbers", (h) => (h.origin = [0, 0])],
  ["an extent of nothing", (h) => (h.scene = { extent: [1, 1, 0, 2], units: null, axes: [], places: {}, background: "" })],
  ["a place of one number", (h) => (h.scene = { extent: null, units: null, axes: [], places: { a: [1] }, background: "" })],
];
for (const [what, spoil] of SPOILT) {
  test(`${what} is refused`, () => {
    assert.throws(() => decode(answer([WHOLE], {}, spoil)), /cannot be read/);
  });
}

test("steps that go back and a header that is no object are refused", () => {
  assert.throws(() => decode(answer([{ steps: [3, 2], points: [0, 0, 1, 1] }])), /steps go back/);
  const list = new Uint8Array([4, 0, 0, 0, 91, 93, 32, 32]).buffer;
  assert.throws(() => decode(list), /header is no object/);
});

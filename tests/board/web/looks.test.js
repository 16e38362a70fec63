import assert from "node:assert/strict";
import test from "node:test";
import { usableColour, usablePlane } from "../../../tbtrace/board/static/looks.js";
import { firstView } from "../../../tbtrace/board/static/view.js";
import { recordingOf } from "./answers.js";

const flat = { points: [0, 0] };
const high = { points: [0, 0, 0], dims: 3, channels: { heat: [1] } };

test("a plane or colour that an episode lacks gives way to one that it has", () => {
  const view = { ...firstView(), plane: /** @type {const} */ ("xz"), colour: { by: /** @type {const} */ ("channel"), name: "heat" } };
  assert.equal(usablePlane(view, recordingOf(flat, high)), "xz");
  assert.equal(usablePlane(view, recordingOf(flat)), "xy");
  assert.equal(usableColour(view, recordingOf(flat, high)), view.colour);
  assert.deepEqual(usableColour(view, recordingOf(flat)), { by: "entity" });
});

import assert from "node:assert/strict";
import test from "node:test";
import { START, alike } from "../../../tbtrace/board/static/wish.js";

test("wishes are compared by what they say", () => {
  assert.ok(alike(START, { ...START, step: 9, selected: new Set(), colour: { by: "entity" }, groups: new Set() }));
  assert.ok(!alike(START, { ...START, selected: new Set(["a"]) }));
  assert.ok(!alike(START, { ...START, colour: { by: "channel", name: "x" } }));
  assert.ok(!alike({ ...START, groups: new Set(["a"]) }, { ...START, groups: new Set(["b"]) }));
});

import assert from "node:assert/strict";
import test from "node:test";
import { shown } from "../../../tbtrace/board/static/filter.js";

const ALL = [["robots", "R2"], ["robots", "a.*"], ["boxes", "r20"]].map(([group, name]) => ({ group, name }));
const names = (/** @type {ReadonlySet<string>|null} */ hidden, /** @type {string} */ text) => shown(ALL, hidden, text).map(({ name }) => name);

test("text is a substring, whatever its case, and no pattern", () => {
  assert.deepEqual(names(null, ""), ["R2", "a.*", "r20"]);
  assert.deepEqual(names(null, " r2 "), ["R2", "r20"]);
  assert.deepEqual(names(null, ".*"), ["a.*"]);
  assert.deepEqual(names(null, "boxes/"), ["r20"]);
  assert.deepEqual(names(null, "none"), []);
});

test("hidden groups are out, whatever the text", () => {
  assert.deepEqual(names(new Set(["robots"]), "r2"), ["r20"]);
  assert.deepEqual(names(new Set(["robots", "boxes"]), ""), []);
});

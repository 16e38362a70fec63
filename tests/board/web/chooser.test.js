import assert from "node:assert/strict";
import test from "node:test";
import { labelled } from "../../../tbtrace/board/static/chooser.js";

test("a run is called by its own name where that is no other's, below its folder", () => {
  const runs = [".", "a/x/t_1", "a/x/t_2", "b/t_2", "t_3"];
  assert.deepEqual(labelled(runs, runs), [
    { value: ".", label: "(this folder)" },
    { value: "a/x/t_1", label: "t_1", group: "a/x" },
    { value: "a/x/t_2", label: "a/x/t_2" },
    { value: "b/t_2", label: "b/t_2" },
    { value: "t_3", label: "t_3" },
  ]);
  assert.deepEqual(labelled(["b/t_2"], runs), [{ value: "b/t_2", label: "b/t_2" }], "also while others are searched away");
});

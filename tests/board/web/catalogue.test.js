import assert from "node:assert/strict";
import test from "node:test";
import { Catalogue } from "../../../tbtrace/board/static/catalogue.js";

/**
 * @param {[number, number, string, number|null][]} rows Iteration, split, uid, return.
 */
function catalogue(rows) {
  const zeros = rows.map(() => 0);
  return new Catalogue("r", {
    version: "v", unchanged: false, thinned: 1, unreadable: [],
    iteration: rows.map(([iteration]) => iteration),
    split: rows.map(([, split]) => split),
    uid: rows.map(([, , uid]) => uid),
    return: rows.map(([, , , value]) => value),
    length: zeros, envSteps: zeros, entities: zeros,
  });
}

const RUN = catalogue([
  [2, 0, "a", 1], [2, 0, "b", 5], [2, 0, "c", 5], [2, 0, "d", -3], [2, 0, "e", -3],
  [2, 1, "a", 9],
  [5, 0, "a", null], [5, 0, "b", -7], [5, 0, "c", null],
  [9, 1, "x", null], [9, 1, "y", null],
]);

test("each split has its iterations", () => {
  assert.deepEqual(RUN.splits, ["train", "evaluation"]);
  assert.deepEqual(RUN.iterations("train"), [2, 5]);
  assert.deepEqual(RUN.iterations("evaluation"), [2, 9]);
  assert.deepEqual(RUN.iterations("constructor"), []);
  assert.equal(RUN.size, 11);
});

test("an iteration that is not there is the one before, or the first", () => {
  const at = [1, 2, 4, 5, 8, null].map((iteration) => RUN.position("train", iteration));
  assert.deepEqual(at, [0, 0, 0, 1, 1, 1]);
  assert.equal(RUN.position("nothing", 3), -1);
  assert.equal(catalogue([]).position("train", null), -1);
});

test("the rows of an iteration are those of its split", () => {
  assert.deepEqual(RUN.rows("train", 0), [0, 5]);
  assert.deepEqual(RUN.rows("train", 1), [6, 9]);
  assert.deepEqual(RUN.rows("evaluation", 1), [9, 11]);
  for (const position of [-1, 2, 0.5, NaN]) assert.deepEqual(RUN.rows("train", position), [0, 0]);
});

test("of equal returns the first wins, and no return wins over none only", () => {
  const uids = (/** @type {string} */ split, /** @type {number} */ position) =>
    /** @type {const} */ (["best", "worst", "last"]).map((pick) => RUN.ref(RUN.row(split, position, pick)).uid);
  assert.deepEqual(uids("train", 0), ["b", "d", "e"]);
  assert.deepEqual(uids("train", 1), ["b", "b", "c"]);
  assert.deepEqual(uids("evaluation", 1), ["x", "x", "y"]);
  assert.equal(RUN.row("train", 7, "best"), -1);
});

test("a named episode wins where it is, and nowhere else", () => {
  assert.equal(RUN.row("train", 0, "best", "e"), 4);
  assert.equal(RUN.row("evaluation", 0, "best", "a"), 5);
  assert.equal(RUN.row("train", 0, "best", "x"), 1, "of another iteration");
  assert.equal(RUN.row("train", 1, "last", "d"), 8, "of an iteration before");
});

test("a row is told as the server wants to hear it", () => {
  assert.deepEqual(RUN.ref(5), { run: "r", split: "evaluation", iteration: 2, uid: "a" });
});

import assert from "node:assert/strict";
import test from "node:test";
import { Catalogue } from "../../../tbtrace/board/static/catalogue.js";
import { decode } from "../../../tbtrace/board/static/decode.js";
import { messageOf, notesOf } from "../../../tbtrace/board/static/messages.js";
import { firstState } from "../../../tbtrace/board/static/state.js";
import { firstView } from "../../../tbtrace/board/static/view.js";
import { answer } from "./answers.js";

/** @typedef {import("../../../tbtrace/board/static/state.js").State} State */

const LISTING = { complete: true, limits: "", logdir: "/logs", runs: [{ run: "r", version: "1", splits: {} }], staging: [] };
const COLUMNS = {
  version: "1", unchanged: /** @type {const} */ (false), thinned: 1, unreadable: [],
  iteration: [3], split: [0], uid: ["u"], return: [1], length: [9], envSteps: [90], entities: [1],
};
const GONE = new Error("TensorBoard does not answer.");
const EMPTY = { iteration: [], split: [], uid: [], return: [], length: [], envSteps: [], entities: [] };

/** @param {Partial<State>} [changes] @returns {State} All is well but for the changes. */
function state(changes = {}) {
  const recording = decode(answer([{ points: [0, 0, 1, 1] }]));
  const catalogue = new Catalogue("r", COLUMNS);
  const view = { ...firstView(), run: "r" };
  return { ...firstState(view), listing: LISTING, catalogue, position: 0, row: 0, recording, drawn: 1, ...changes };
}

/** @param {Partial<State>} [changes] */
const titled = (changes) => messageOf(state(changes))?.title;
const unopened = { catalogue: null, recording: null, row: -1 };

test("nothing stands before a picture, whatever else failed", () => {
  assert.equal(titled(), undefined);
  assert.equal(titled({ listing: null, offline: GONE }), undefined);
  assert.equal(titled({ offline: GONE }), undefined);
  assert.equal(titled({ stale: new Error("busy") }), undefined);
  assert.equal(titled({ listing: { ...LISTING, runs: [] } }), undefined);
});

test("each way of having no picture has its message", () => {
  const cases = /** @type {[Partial<State>, string][]} */ ([
    [{ ...unopened, listing: null }, "Looking for traces …"],
    [{ ...unopened, listing: null, offline: GONE }, "The runs cannot be listed"],
    [{ ...unopened, listing: { ...LISTING, runs: [] } }, "No traces here yet"],
    [{ ...unopened, listing: { ...LISTING, runs: [], complete: false } }, "Looking for traces …"],
    [{ ...unopened, view: { ...firstView(), run: "q" } }, "There is no such run"],
    [{ ...unopened, view: { ...firstView(), run: "q" }, listing: { ...LISTING, complete: false } }, "Looking for the run …"],
    [{ ...unopened, failure: GONE }, "This cannot be shown"],
    [unopened, "Reading the list of episodes …"],
    [{ catalogue: new Catalogue("r", { ...COLUMNS, ...EMPTY }), recording: null, row: -1 }, "No episode is stored yet"],
    [{ recording: null }, "Loading the episode …"],
    [{ recording: null, failure: GONE }, "This cannot be shown"],
    [{ recording: decode(answer([])) }, "This episode has no traces"],
    [{ view: { ...firstView(), run: "r", hidden: new Set(["g"]) } }, "All entities are hidden"],
    [{ drawn: 0 }, "This episode has no positions"],
    [{ drawn: 0, view: { ...firstView(), run: "r", plane: "xz" } }, "This episode has no positions"],
    [{ drawn: 0, view: { ...firstView(), run: "r", plane: "xz" }, recording: decode(answer([{ points: [0, 0, 1], dims: 3 }])) }, "Nothing is in this plane"],
  ]);
  for (const [changes, title] of cases) assert.equal(titled(changes), title);
});

/** @param {...string} storages */
function staged(...storages) {
  const staging = storages.map((storage, i) => ({ run: `t${i}`, storage }));
  const message = messageOf(state({ ...unopened, listing: { ...LISTING, runs: [], staging } }));
  assert.equal(message?.title, "This is Tune's staging folder");
  return message;
}

test("a staging folder names each storage path once, as a command", () => {
  assert.deepEqual(staged("/a/exp", "/a/exp", "/data/my exp", "/it's", "s3://b/e", "/$(rm)").commands, [
    "tensorboard --logdir /a/exp",
    "tensorboard --logdir '/data/my exp'",
    String.raw`tensorboard --logdir '/it'\''s'`,
    "tensorboard --logdir s3://b/e",
    "tensorboard --logdir '/$(rm)'",
  ]);
});

test("a storage path that would act in a terminal is no command", () => {
  const hostile = ["/a\u001b[201~\rrm -rf /", "/a\nb", "/a\u202egnp", "/\ud800", "-rf", "relative", "", "/" + "a".repeat(4095), "/\u2028"];
  assert.deepEqual(staged(...hostile).commands, []);
  assert.deepEqual(staged(...hostile, "/good").commands, ["tensorboard --logdir /good"]);
  assert.match(String(staged(...hostile).lines), /result\.path/);
});

test("notes say what is to be known of a picture", () => {
  const notes = (/** @type {Partial<State>} */ changes) => notesOf(state(changes)).join("\n");
  assert.equal(notes({}), "");
  assert.match(notes({ offline: GONE }), /does not answer.*still be looked at/);
  assert.match(notes({ listing: { ...LISTING, runs: [] }, stale: GONE }), /^The files of this run are gone[^\n]*$/);
  assert.match(notes({ stale: new Error("It is busy.") }), /It is busy/);
  assert.match(notes({ listing: { ...LISTING, limits: "left out" } }), /left out/);
  assert.match(notes({ catalogue: new Catalogue("r", { ...COLUMNS, thinned: 4, unreadable: ["x"] }) }), /of 4 iterations one.*\nx$/);
  assert.equal(notes({ ...unopened, offline: GONE }), "TensorBoard does not answer. What was loaded can still be looked at.");
});

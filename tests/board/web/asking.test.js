/** How the server is asked: what failures say, that what is out of date is dropped, and that little is kept. */

import assert from "node:assert/strict";
import test from "node:test";
import { fetchRuns } from "../../../tbtrace/board/static/api.js";
import { Backgrounds } from "../../../tbtrace/board/static/backgrounds.js";
import { decode } from "../../../tbtrace/board/static/decode.js";
import { Opener } from "../../../tbtrace/board/static/opener.js";
import { Recordings } from "../../../tbtrace/board/static/recordings.js";
import { answer } from "./answers.js";

/** @typedef {{url: URL, signal: AbortSignal, answer: (response: Response) => void, fail: (error: Error) => void}} Asked */

/** Requests on their way or answered, in their order. @type {Asked[]} */
let asked = [];
globalThis.fetch = /** @type {typeof fetch} */ ((url, init) =>
  new Promise((resolve, fail) => {
    const signal = /** @type {AbortSignal} */ (init?.signal);
    signal.addEventListener("abort", () => fail(signal.reason));
    asked.push({ url: new URL(String(url)), signal, answer: resolve, fail });
  }));
test.beforeEach(() => (asked = []));

const soon = () => new Promise((resolve) => setImmediate(resolve));
const ref = (/** @type {number} */ iteration) => ({ run: "r", split: "train", iteration, uid: "u" });
const bytes = () => new Response(answer([{ points: [0, 0, 1, 1] }]));

/** @param {(request: Asked) => void} how */
async function sentence(how) {
  const runs = fetchRuns();
  how(/** @type {Asked} */ (asked.at(-1)));
  return runs.then(() => "none", (error) => `${error.status} ${error.message}`);
}

test("a failure is a sentence for the user", async () => {
  const json = JSON.stringify({ error: "It is busy." });
  assert.equal(await sentence(({ answer: say }) => say(new Response(json, { status: 503 }))), "503 It is busy.");
  const page = () => new Response("<html>");
  assert.match(await sentence(({ answer: say }) => say(page())), /^0 Something else answers/);
  const bad = { status: 502, statusText: "Bad Gateway" };
  assert.equal(await sentence(({ answer: say }) => say(new Response("<html>", bad))), "502 The server answered 502 Bad Gateway.");
  assert.match(await sentence(({ fail }) => fail(new TypeError("fetch failed"))), /^0 TensorBoard does not answer/);
});

test("of two lists of episodes the one that was asked for last counts", async () => {
  /** @type {string[]} */
  const told = [];
  const opener = new Opener({ onCatalogue: ({ run }) => told.push(run), onError: ({ message }) => told.push(message) });
  opener.open("a", null);
  opener.open("b", null, "v1");
  assert.ok(asked[0].signal.aborted && !asked[1].signal.aborted);
  assert.ok(!opener.outdated("v2"), "one is on its way");
  asked[1].answer(Response.json({ version: "v2", unchanged: false, iteration: [], split: [], uid: [] }));
  await soon();
  await soon();
  assert.deepEqual(told, ["b"]);
  assert.deepEqual(["v2", "v3", undefined].map((version) => opener.outdated(version)), [false, true, false]);
});

test("a list that cannot be had is asked for again only where another one is at hand", async () => {
  const opener = new Opener({ onCatalogue: () => assert.fail("none came"), onError: () => {} });
  opener.open("a", null, "v1");
  asked[0].answer(Response.json({ error: "x" }, { status: 503 }));
  await soon();
  await soon();
  assert.ok(!opener.outdated("v1") && opener.outdated("v2"));
  opener.open("a", /** @type {any} */ ({ version: "v0" }), "v1");
  asked[1].answer(Response.json({ error: "x" }, { status: 503 }));
  await soon();
  await soon();
  assert.ok(opener.outdated("v1"));
});

test("whoever goes on quickly leaves nothing behind on its way", async () => {
  const recordings = new Recordings();
  const wanted = [1, 2, 3, 4].map((iteration) => recordings.get(ref(iteration)).catch(() => null));
  assert.deepEqual(asked.map(({ signal }) => signal.aborted), [true, true, true, false]);
  asked[3].answer(bytes());
  assert.deepEqual((await Promise.all(wanted)).map((recording) => recording?.iteration ?? 0), [0, 0, 0, 3]);
  assert.equal(recordings.entries.size, 1);
});

test("neighbours come one after the other, and only those of the last place", async () => {
  const recordings = new Recordings();
  const beside = decode(answer([{ points: [0, 0] }]));
  recordings.prefetch([ref(2), ref(8)], beside);
  recordings.get(ref(2)).catch(() => null);
  recordings.prefetch([ref(3), ref(4)], beside);
  const iterations = () => asked.map(({ url }) => url.searchParams.get("iteration"));
  assert.deepEqual(iterations(), ["2", "3"]);
  asked[0].answer(bytes());
  asked[1].answer(bytes());
  for (let i = 0; i < 5; i++) await soon();
  assert.deepEqual(iterations(), ["2", "3", "4"], "the 8th is out of date");
});

test("hours of new iterations leave a dozen recordings", async () => {
  const recordings = new Recordings();
  for (let iteration = 0; iteration < 100; iteration++) {
    const coming = recordings.get(ref(iteration));
    asked[iteration].answer(bytes());
    await coming;
  }
  await soon();
  assert.equal(recordings.entries.size, 12);
  recordings.get(ref(99));
  assert.equal(asked.length, 100, "the newest is at hand");
});

test("a background that failed once is asked for again, one that came is not, and few are kept", async () => {
  /** @type {(() => Promise<void>)[]} */
  const decodes = [() => Promise.reject(new Error("gone"))];
  let made = 0;
  globalThis.Image = /** @type {any} */ (
    class {
      src = "";
      decode = () => (decodes[made++] ?? (() => Promise.resolve()))();
    }
  );
  const backgrounds = new Backgrounds();
  const of = async (/** @type {string} */ background) => {
    /** @type {boolean[]} */
    const told = [];
    await backgrounds.of(/** @type {any} */ ({ run: "r", scene: { background } }), (image) => told.push(image !== null));
    return told;
  };
  assert.deepEqual(await of(""), [false]);
  assert.deepEqual(await of("a"), [false]);
  assert.deepEqual(await Promise.all([of("a"), of("a")]), [[false, true], [false, true]]);
  assert.equal(made, 2, "two at once are one request");
  assert.deepEqual(await of("a"), [true]);
  for (let i = 0; i < 20; i++) await of(`b${i}`);
  assert.equal(backgrounds.images.size, 8);
});

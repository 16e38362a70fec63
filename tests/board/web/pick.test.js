import assert from "node:assert/strict";
import test from "node:test";
import { selection } from "../../../tbtrace/board/static/aim.js";
import { Finder } from "../../../tbtrace/board/static/pick.js";
import { tracksOf } from "./answers.js";

const PIXELS = { perX: 10, perY: 10, reach: 12 };

/** @param {import("../../../tbtrace/board/static/trails.js").Track} track @returns {[number, number]} */
const all = (track) => [0, track.entity.steps.length];

/** Numbers from 0 to 1, the same in every run. */
function numbers() {
  let seed = 7;
  return () => (seed = (seed * 16807) % 2147483647) / 2147483647;
}

test("the nearest way is found, also between points that are far apart", () => {
  const finder = new Finder(tracksOf({ name: "low", points: [0, 0, 100, 0] }, { name: "high", points: [0, 50, 100, 50] }));
  const hit = finder.nearest(40, 49.5, PIXELS, all);
  assert.deepEqual([hit?.track.name, hit?.row, hit?.distance], ["high", 0, 5]);
  assert.equal(finder.nearest(60, 0.5, PIXELS, all)?.row, 1);
  assert.equal(finder.nearest(50, 25, PIXELS, all), null);
});

test("it is what looking at every piece finds", () => {
  const next = numbers();
  const points = (/** @type {number} */ jump) => {
    let [x, y] = [next() * 100, next() * 100];
    return Array.from({ length: 60 }, () => [(x += (next() - 0.5) * jump), (y += (next() - 0.5) * jump)]).flat();
  };
  const tracks = tracksOf(...[1, 3, 60].map((jump, i) => ({ name: `e${i}`, points: points(jump) })));
  const finder = new Finder(tracks);
  for (let i = 0; i < 300; i++) {
    const [x, y] = [next() * 120 - 10, next() * 120 - 10];
    let least = Infinity;
    for (const { entity: { points: p } } of tracks) {
      for (let k = 0; k + 3 < p.length; k += 2) {
        const [dx, dy] = [p[k + 2] - p[k], p[k + 3] - p[k + 1]];
        const share = Math.min(Math.max(((x - p[k]) * dx + (y - p[k + 1]) * dy) / (dx * dx + dy * dy), 0), 1);
        least = Math.min(least, 10 * Math.hypot(x - p[k] - share * dx, y - p[k + 1] - share * dy));
      }
    }
    const hit = finder.nearest(x, y, PIXELS, all);
    if (least >= PIXELS.reach) assert.equal(hit, null);
    else assert.ok(hit && Math.abs(hit.distance - least) < 1e-4, `${hit?.distance} is not ${least}`);
  }
});

test("only rows that are seen are found, and no way through a gap", () => {
  const finder = new Finder(tracksOf({ points: [0, 0, 10, 0, 20, 0, NaN, NaN, 40, 0] }));
  assert.equal(finder.nearest(15, 0, PIXELS, () => [0, 2]), null);
  assert.equal(finder.nearest(10, 0, PIXELS, () => [0, 2])?.row, 1);
  assert.equal(finder.nearest(10, 0, PIXELS, () => null), null);
  assert.equal(finder.nearest(30, 0, PIXELS, all), null);
  assert.equal(finder.nearest(40, 0.2, PIXELS, all)?.row, 4);
});

test("of rows at one place the latest is found; one point and none are no trouble", () => {
  assert.equal(new Finder(tracksOf({ points: [5, 5, 5, 5, 5, 5] })).nearest(5, 5.1, PIXELS, () => [0, 2])?.row, 1);
  assert.equal(new Finder(tracksOf({ points: [5, 5] })).nearest(5, 5, PIXELS, all)?.row, 0);
  assert.equal(new Finder([]).nearest(5, 5, PIXELS, all), null);
});

test("a click selects one, a click with a key some", () => {
  const said = (/** @type {string[]} */ before, /** @type {string|undefined} */ key, add = false) => {
    const after = selection(new Set(before), key, add);
    return after && [...after];
  };
  assert.deepEqual(said([], "a"), ["a"]);
  assert.deepEqual(said(["a"], "a"), []);
  assert.deepEqual(said(["a", "b"], "a"), ["a"]);
  assert.deepEqual(said(["a"], undefined), []);
  assert.equal(said([], undefined), null);
  assert.deepEqual(said(["a"], "b", true), ["a", "b"]);
  assert.deepEqual(said(["a", "b"], "a", true), ["b"]);
  assert.equal(said(["a"], undefined, true), null);
});

import assert from "node:assert/strict";
import test from "node:test";
import { format, horizon, nice, ticks } from "../../../tbtrace/board/static/scales.js";

test("ticks are those of the pictures", () => {
  // The doctests of tbtrace/draw/scale.py.
  assert.deepEqual(ticks(0, 10, 2, "x"), { values: [0, 5, 10], labels: ["0", "5", "10"], title: "x" });
  assert.equal(ticks(5e5, 5.002e5, 2, "x").title, "x \u2212 500000");
  // And of what its tests say: one tick alone tells no scale, labels differ in more than their last digits.
  assert.deepEqual(ticks(-7, 7, 2, "x").values, [-5, 0, 5]);
  const { labels, title } = ticks(1, 1.0004, 2, "x");
  assert.deepEqual([title, ...labels], ["(x \u2212 1) / 1e-6", "0", "200", "400"]);
});

test("axes may run backwards, be tiny, huge or far away", () => {
  assert.deepEqual(ticks(10, 0, 2, "x").values, [0, 5, 10]);
  assert.deepEqual(ticks(-1, 1, 2, "x").labels, ["\u22121", "0", "1"]);
  assert.deepEqual(ticks(0, 4e-6, 4, "x"), { values: [0, 1e-6, 2e-6, 3e-6, 4e-6].map((_, i) => i * nice(1e-6)), labels: ["0", "1", "2", "3", "4"], title: "x / 1e-6" });
  assert.equal(ticks(0, 3e6, 3, "x").title, "x / 1e6");
  const far = ticks(5000000.2, 5000001.4, 4, "north [m]");
  assert.equal(far.title, "north [m] \u2212 5000000");
  assert.ok(far.labels.includes("0.5") || far.labels.includes("0.50"));
});

test("there is a tick however narrow the view, and never a label twice", () => {
  for (let span = 1e12; span > 1e-6; span /= 7) {
    const { values, labels } = ticks(500000.3, 500000.3 + span, 8, "x");
    assert.ok(values.length >= 1 && values.length <= 18);
    assert.equal(new Set(labels).size, labels.length, labels.join());
  }
});

test("numbers are written for people", () => {
  /** @type {[number, string][]} */
  const said = [[0, "0"], [-0, "0"], [-1.5, "\u22121.5"], [1 / 3, "0.33333"], [5000001.4, "5000001"], [1e-7, "1e-7"], [2.5e20, "2.5e20"], [NaN, "none"], [-Infinity, "\u2212∞"], [100, "100"]];
  for (const [value, text] of said) assert.equal(format(value), text);
});

test("time ends at a round number of steps", () => {
  assert.deepEqual([1, 7, 99, 100, 101, 300, 1001, 1234].map(horizon), [1, 7, 100, 100, 110, 300, 1100, 1300]);
});

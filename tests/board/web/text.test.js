import assert from "node:assert/strict";
import test from "node:test";
import { arranged, clean, shorten } from "../../../tbtrace/board/static/text.js";

const width = (/** @type {string} */ text) => 7 * [...text].length;

test("text is one line, without what turns or hides writing", () => {
  assert.equal(clean(" two\n lines\u0000 \u202Egnp\u200B "), "two lines gnp");
  assert.equal(clean("x".repeat(10000)), "x".repeat(399) + "\u2026");
});

test("text is cut where its place ends, never in the middle of a sign", () => {
  assert.equal(shorten("abcdef", 42, width), "abcdef");
  assert.equal(shorten("abcdef", 41, width), "abcd\u2026");
  assert.equal(shorten("🙂🙂🙂", 15, width), "🙂\u2026");
  assert.equal(shorten("abc", 8, width), "");
});

test("names do not lie over each other, nor outside", () => {
  const box = { left: 0, top: 0, width: 300, height: 200 };
  const names = [["a", 50, 50], ["over a", 52, 52], ["b", 50, 90], ["out", 301, 50], ["corner", 300, 0]];
  const labels = arranged(names.map(([text, u, v]) => ({ text: String(text), u: Number(u), v: Number(v) })), box, width);
  assert.deepEqual(labels.map(({ text }) => text), ["a", "b", "corner"]);
  assert.ok(labels[2].u + width("corner") / 2 <= 300 && labels[2].v > 10);
});

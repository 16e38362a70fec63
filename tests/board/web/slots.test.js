import assert from "node:assert/strict";
import process from "node:process";
import test from "node:test";
import { Slots } from "../../../tbtrace/board/static/slots.js";

const named = (/** @type {string} */ name, group = "g") => ({ key: JSON.stringify([group, name]), group, name });

/**
 * Returns the colours of the last episode's entities, after all of them were seen in a page that was loaded anew.
 *
 * @param {string[][]} episodes Names, some as `group/name`.
 */
function colours(...episodes) {
  const slots = new Slots();
  const all = episodes.map((names) => names.map((text) => named(text.split("/").at(-1) ?? "", text.includes("/") ? text.split("/")[0] : "g")));
  for (const entities of all) slots.see(entities);
  return all[all.length - 1].map((entity) => slots.of(entity));
}

const upTo = (/** @type {string} */ stem, /** @type {number} */ from, /** @type {number} */ to) => Array.from({ length: to - from + 1 }, (_, i) => `${stem}${from + i}`);

test("names that count have the colours of the pictures", () => {
  assert.deepEqual(colours(upTo("a", 1, 14)), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0, 1]);
  assert.deepEqual(colours(upTo("agent_", 0, 3)), [0, 1, 2, 3]);
  assert.deepEqual(colours(["ego", "npc 1", "npc 2"]), [0, 1, 2]);
  assert.deepEqual(colours(["robots/r1", "robots/r2", "articles/a1", "articles/a2"]), [0, 1, 2, 3]);
});

test("an entity has its colour whichever episode the page was loaded on, and in whatever order they are stored", () => {
  assert.deepEqual(colours(["a7", "a3"]), [6, 2]);
  assert.deepEqual(colours(upTo("a", 1, 40), ["a7", "a3"]), [6, 2]);
  assert.deepEqual(colours(["a13", "a2", "a1"]), [2, 1, 0]);
  assert.deepEqual(colours(["truck", "car"], ["car", "truck"]), [1, 0]);
});

test("the first twelve have twelve colours, however they are called", () => {
  for (const names of [upTo("a", 13, 24).map((name) => `${name}x12`), ["a12", "a24", "a36"], ["x", "y1", "z13", "0"]]) {
    assert.equal(new Set(colours(names)).size, names.length, names.join());
  }
});

test("names may be anything, and there may be very many", () => {
  const slow = "1".repeat(20_000) + "a".repeat(20_000) + "1";
  const start = process.cpuUsage(); // not of whatever else runs on the machine
  const [huge, far] = colours([slow, "9".repeat(400), "", "\u0660"]);
  assert.ok(huge >= 0 && far < 12);
  assert.ok(process.cpuUsage(start).user < 200_000);
  const slots = new Slots();
  slots.see(Array.from({ length: 5000 }, (_, i) => named(`e${i}`)));
  const [late] = [named("e4999")];
  const other = new Slots();
  assert.equal(slots.of(late), other.of(late));
});

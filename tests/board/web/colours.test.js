import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { INKS, PALETTE, VALUE, colourOf, faded, hashOf, parse, ramp } from "../../../tbtrace/board/static/colours.js";

/** @param {string} path @param {string} name */
function python(path, name) {
  const text = readFileSync(new URL(`../../../tbtrace/${path}`, import.meta.url), "utf8");
  const found = text.match(new RegExp(`^${name} = \\(([^)]*)\\)`, "m"));
  return [...(found?.[1].matchAll(/#[0-9a-f]{6}/gi) ?? [])].map(([colour]) => colour.toLowerCase());
}

test("light colours are those of the pictures", () => {
  assert.deepEqual(PALETTE.light, python("views/colours.py", "PALETTE"));
  assert.deepEqual(VALUE.light, python("draw/ramp.py", "VALUE"));
});

test("dark colours are seen on the dark ground", () => {
  const light = (/** @type {string} */ colour) => {
    const [r, g, b] = parse(colour).map((part) => (part <= 10 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = light(INKS.dark.ground) + 0.05;
  for (const colour of PALETTE.dark) assert.ok((light(colour) + 0.05) / ground >= 3, colour);
  assert.equal(new Set(PALETTE.dark).size, PALETTE.light.length);
});

test("what steps back is near to the ground", () => {
  assert.equal(faded("#000000", "light"), "#cccccc");
  assert.equal(faded(INKS.dark.ground, "dark"), INKS.dark.ground);
});

test("a ramp goes evenly from end to end", () => {
  assert.deepEqual(ramp(["#000000", "#0000ff"], 3), ["#000000", "#000080", "#0000ff"]);
  assert.deepEqual(ramp(["#123456"], 2), ["#123456", "#123456"]);
  assert.deepEqual(ramp(["#010203", "#ffffff"], 1), ["#010203"]);
  const all = ramp(VALUE.light, 32);
  assert.deepEqual([all[0], all[31]], [VALUE.light[0], VALUE.light[8]]);
});

test("hashes are those of Python's zlib.crc32", () => {
  assert.equal(hashOf(""), 0);
  assert.equal(hashOf("123456789"), 0xcbf43926);
  assert.equal(hashOf("g\0ü"), 2780130188);
  assert.equal(colourOf(13, "light"), PALETTE.light[1]);
});

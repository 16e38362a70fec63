import assert from "node:assert/strict";
import test from "node:test";
import { areaOf, cameraOn } from "../../../tbtrace/board/static/area.js";
import { firstView, viewFromTexts, viewToTexts } from "../../../tbtrace/board/static/view.js";

const NASTY = `<img src=x onerror=alert(1)>&p.tbtrace.run=x#%"'=,]`;

/** @type {import("../../../tbtrace/board/static/view.js").View} */
const FULL = {
  run: `exp/${NASTY}`,
  split: "evaluation",
  iteration: 0,
  pick: "worst",
  uid: NASTY,
  follow: true,
  step: 17,
  trail: 50,
  colour: { by: "channel", name: `channel:${NASTY}` },
  plane: "yz",
  hidden: new Set(["articles", NASTY, ""]),
  text: " a/1 ",
  selected: new Set([JSON.stringify(["g", NASTY]), JSON.stringify(["", ""])]),
  area: { x: -1.5, y: 5e6, width: 12.25, height: 1e-3 },
  speed: 7,
  loop: true,
};

test("a view comes back from its texts, whatever names it holds", () => {
  assert.deepEqual(viewFromTexts(viewToTexts(FULL)), FULL);
  for (const trail of /** @type {const} */ (["all", 1, Infinity])) {
    assert.equal(viewFromTexts(viewToTexts({ ...FULL, trail })).trail, trail);
  }
  for (const by of /** @type {const} */ (["entity", "group", "time"])) {
    assert.deepEqual(viewFromTexts(viewToTexts({ ...FULL, colour: { by } })).colour, { by });
  }
});

test("what is as at first is not said", () => {
  assert.equal(viewToTexts(firstView()).size, 0);
  assert.deepEqual(viewFromTexts(new Map()), firstView());
});

for (const [key, texts] of Object.entries({
  split: ["test", "TRAIN"],
  iteration: ["-1", "1.5", "1e3", "x", "9999999999999999"],
  pick: ["first", "constructor"],
  step: ["-3", "NaN", ""],
  trail: ["some", "-1", "Infinity"],
  colour: ["red", "group ", "channel"],
  plane: ["zx", "xyz"],
  hidden: ["{", "{}", "3", "null", '"a"'],
  selected: ["[", "{}"],
  area: ["1,2", "1,2,3", "a,b,c,d", "1,2,0,3", "1,2,3,-1", "1,2,Infinity,3", ""],
  loop: ["true", "0"],
})) {
  test(`an address that says nonsense of ${key} is as if it said nothing`, () => {
    for (const text of texts) assert.deepEqual(viewFromTexts(new Map([[key, text]])), firstView(), text);
  });
}

test("a speed stays within what can be played", () => {
  const speed = (/** @type {string} */ text) => viewFromTexts(new Map([["speed", text]])).speed;
  assert.deepEqual([speed("0"), speed("45"), speed("5000"), speed("fast")], [1, 45, 1000, 30]);
});

test("groups that are no text are not hidden", () => {
  assert.deepEqual(viewFromTexts(new Map([["hidden", '["a",1,null,["b"]]']])).hidden, new Set(["a"]));
});

test("an area is seen whole in a window of any size", () => {
  const camera = { x: 3, y: -4, scale: 20 };
  const area = areaOf(camera, { width: 800, height: 400 });
  assert.deepEqual(area, { x: 3, y: -4, width: 40, height: 20 });
  assert.deepEqual(cameraOn(area, { width: 800, height: 400 }), camera);
  for (const box of [{ width: 300, height: 900 }, { width: 3000, height: 100 }, { width: 1600, height: 800 }]) {
    const { scale } = cameraOn(area, box);
    assert.ok(box.width / scale >= 40 && box.height / scale >= 20);
    assert.ok(box.width / scale === 40 || box.height / scale === 20, "no smaller than it must be");
  }
});

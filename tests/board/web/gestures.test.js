import assert from "node:assert/strict";
import test from "node:test";
import { listen } from "../../../tbtrace/board/static/gestures.js";

/** A canvas that hears what it is told, and what came of it. */
function listening() {
  const target = new EventTarget();
  const canvas = Object.assign(target, { style: {}, setPointerCapture: () => {}, getBoundingClientRect: () => ({ left: 10, top: 20 }) });
  /** @type {unknown[][]} */
  const said = [];
  const tell = (/** @type {string} */ what) => (/** @type {unknown[]} */ ...how) => void said.push([what, ...how]);
  const end = listen(/** @type {any} */ (canvas), { pan: tell("pan"), zoom: tell("zoom"), hover: () => {}, click: tell("click") });
  const does = (/** @type {string} */ type, clientX = 0, clientY = 0, more = {}) =>
    canvas.dispatchEvent(Object.assign(new Event(type, { cancelable: true }), { pointerId: 1, pointerType: "mouse", button: 0, clientX, clientY, ...more }));
  return { said, does, end };
}

test("who drags pans, and who does not clicks", () => {
  const { said, does, end } = listening();
  does("pointerdown", 110, 120);
  does("pointermove", 112, 120);
  does("pointerup", 112, 120, { ctrlKey: true });
  does("pointerdown", 110, 120);
  does("pointermove", 130, 115);
  does("pointerup", 130, 115);
  end();
  does("pointerdown", 110, 120);
  does("pointerup", 110, 120);
  assert.deepEqual(said, [["click", 102, 100, true], ["pan", 20, -5]]);
});

test("a button that was let go where nobody heard it pans no more", () => {
  const { said, does } = listening();
  does("pointerdown", 110, 120);
  does("lostpointercapture");
  does("pointermove", 200, 200);
  assert.deepEqual(said, []);
});

test("two fingers zoom round their middle", () => {
  const { said, does } = listening();
  does("pointerdown", 110, 120, { pointerType: "touch" });
  does("pointerdown", 210, 120, { pointerType: "touch", pointerId: 2 });
  does("pointermove", 310, 120, { pointerType: "touch", pointerId: 2 });
  assert.deepEqual(said, [["pan", 50, 0], ["zoom", 2, 200, 100]]);
});

test("a wheel zooms at the pointer, in whatever it counts", () => {
  const { said, does } = listening();
  does("wheel", 60, 70, { deltaY: -32, deltaMode: 0 });
  does("wheel", 60, 70, { deltaY: -2, deltaMode: 1 });
  assert.deepEqual(said[0], said[1]);
  assert.ok(Number(said[0][1]) > 1);
});

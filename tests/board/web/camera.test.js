import assert from "node:assert/strict";
import test from "node:test";
import { data, edges, fitted, limitsOf, padded, panned, screenX, screenY, stretchOf, zoomed } from "../../../tbtrace/board/static/camera.js";

const BOX = { left: 60, top: 10, width: 800, height: 500 };
const VIEWS = [
  { ...BOX, x: 3, y: -2, scale: 10, stretch: 1, dirX: 1, dirY: 1 },
  { ...BOX, x: 500000, y: 5000000, scale: 400, stretch: 16, dirX: 1, dirY: -1 },
  { ...BOX, x: 0, y: 0, scale: 1e-3, stretch: 0.25, dirX: -1, dirY: 1 },
];
const BOUNDS = { least: 1e-9, most: 1e9 };

/** @param {number} value @param {number} wanted @param {number} [off] */
function near(value, wanted, off = 1e-3) {
  assert.ok(Math.abs(value - wanted) <= off, `${value} is not ${wanted}`);
}

for (const view of VIEWS) {
  test(`places go to data and back at ${view.x}`, () => {
    const [x, y] = data(view, 123, 456);
    near(screenX(view, x), 123);
    near(screenY(view, y), 456);
  });

  test(`a zoom leaves what is below the cursor at ${view.x}`, () => {
    const [x, y] = data(view, 700, 40);
    const after = { ...view, ...zoomed(view, 700, 40, 2.5, BOUNDS) };
    near(after.scale, view.scale * 2.5);
    near(screenX(after, x), 700);
    near(screenY(after, y), 40);
  });

  test(`a pan moves what is seen by pixels at ${view.x}`, () => {
    const [x, y] = data(view, 300, 200);
    const after = { ...view, ...panned(view, 30, -20) };
    near(screenX(after, x), 330);
    near(screenY(after, y), 180);
  });
}

test("up is up unless the axis runs backwards", () => {
  assert.ok(screenY(VIEWS[0], 1) < screenY(VIEWS[0], 0));
  assert.ok(screenY(VIEWS[1], 5000001) > screenY(VIEWS[1], 5000000));
  const [x0, x1] = edges(VIEWS[2]);
  assert.ok(x0 > x1);
});

test("a zoom ends at its bounds and leaves the place even there", () => {
  const [x] = data(VIEWS[0], 100, 100);
  const after = { ...VIEWS[0], ...zoomed(VIEWS[0], 100, 100, 1e6, { least: 1, most: 50 }) };
  assert.equal(after.scale, 50);
  near(screenX(after, x), 100);
});

test("fit shows all of it, as large as there is room", () => {
  const view = { ...VIEWS[0], ...fitted([0, 100, -10, 10], BOX, 2), stretch: 2 };
  near(screenX(view, 0), BOX.left);
  near(screenX(view, 100), BOX.left + BOX.width);
  near(screenY(view, 0), BOX.top + BOX.height / 2);
  assert.ok(screenY(view, 10) >= BOX.top);
});

test("only what is flatter than 8:1 is stretched", () => {
  assert.equal(stretchOf([0, 80, 0, 10]), 1);
  assert.equal(stretchOf([0, 400, 0, 10]), 16);
  assert.equal(stretchOf([0, 10, 0, 400]), 1 / 16);
});

test("a point gets room, also where numbers are coarse, and a line some width", () => {
  assert.deepEqual(padded([3, 3, 4, 4]), [2.5, 3.5, 3.5, 4.5]);
  const [x0, x1] = padded([5e9, 5e9, 0, 0]);
  assert.ok(x1 - x0 >= 5000);
  const [, , y0, y1] = padded([0, 70, 5, 5]);
  near(y1 - y0, 10.6);
});

test("the scene's extent holds, but for sides that entities crossed", () => {
  assert.deepEqual(limitsOf([1, 9, 1, 9], [0, 10, 10, 0]), [0, 10, 0, 10]);
  const [x0, x1, y0, y1] = limitsOf([1, 12, 1, 9], [0, 10, 0, 10]);
  assert.deepEqual([x0, y0, y1], [0, 0, 10]);
  assert.ok(x1 > 12);
  assert.ok(limitsOf(null, null).every(Number.isFinite));
});

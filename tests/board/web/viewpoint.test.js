import assert from "node:assert/strict";
import test from "node:test";
import { data } from "../../../tbtrace/board/static/camera.js";
import { Viewpoint } from "../../../tbtrace/board/static/viewpoint.js";

/** @param {number} letters @param {number} [ratio] */
function looking(letters, ratio = 1) {
  const from = new Viewpoint();
  from.measure([0, 60, 0, 40], null, true);
  from.resize(1300, 800, letters, ratio);
  from.fit(true);
  return from;
}

/** @param {number} value @param {number} wanted */
const near = (value, wanted) => assert.ok(Math.abs(value - wanted) < 1e-9 * Math.max(1, Math.abs(wanted)), `${value} is not ${wanted}`);

test("where letters are larger, all that is drawn is", () => {
  const [small, large] = [looking(13), looking(26)];
  assert.deepEqual([small.unit, small.ratio, large.unit, large.ratio], [1, 1, 2, 2]);
  assert.deepEqual([large.width, large.height], [650, 400]);
  assert.equal(large.view.left, small.view.left); // in its own pixels, which are twice as large
  assert.equal(looking(NaN).unit, 1);
});

test("edges lie on device pixels", () => {
  const { view, ratio } = looking(18.98, 1.25);
  for (const at of [view.left, view.top, view.left + view.width, view.top + view.height]) near(at * ratio, Math.round(at * ratio));
});

test("a camera is in CSS pixels, whatever the letters", () => {
  for (const letters of [13, 19]) {
    const from = looking(letters);
    from.camera = { x: 3, y: 4, scale: 20 };
    near(from.camera.scale, 20);
    near(from.view.scale * from.unit, 20);
    from.camera = { x: NaN, y: 4, scale: 20 };
    from.camera = { x: 0, y: 4, scale: -1 };
    assert.equal(from.camera.x, 3);
  }
});

test("what the pointer holds stays below it", () => {
  const from = looking(19);
  const at = () => data(from.view, 400 / from.unit, 300 / from.unit);
  const [x, y] = at();
  from.zoom(2, 400, 300);
  near(at()[0], x);
  near(at()[1], y);
  from.pan(-25, 10);
  const [u, v] = data(from.view, 375 / from.unit, 310 / from.unit);
  near(u, x);
  near(v, y);
});

test("a window of another size shows all again, unless somebody has moved the camera", () => {
  const from = looking(13);
  const { scale } = from.camera;
  from.resize(650, 400, 13, 1);
  assert.ok(from.camera.scale < scale / 2);
  from.pan(1, 0);
  const moved = from.camera;
  from.resize(1300, 800, 13, 1);
  assert.deepEqual(from.camera, moved);
});

test("the box is in CSS pixels, too", () => {
  const [small, large] = [looking(13), looking(26)];
  assert.equal(small.box.left, small.view.left);
  assert.equal(large.box.left, 2 * large.view.left);
  near(large.box.width / large.camera.scale, large.view.width / large.view.scale);
});

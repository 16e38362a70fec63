import assert from "node:assert/strict";
import test from "node:test";
import { soften } from "../../../tbtrace/board/static/backdrop.js";

test("a light picture stays light in the light theme and becomes the ground in the dark one", () => {
  const picture = () => Uint8ClampedArray.from([255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 255]);
  const [light, dark] = [picture(), picture()];
  soften(light, "light");
  soften(dark, "dark");
  assert.deepEqual([...light.slice(0, 4)], [255, 255, 255, 255]);
  assert.ok(light[8] > 50); // black is paler than it was
  assert.deepEqual([...dark.slice(0, 3)], [0x26, 0x26, 0x26]);
  assert.ok(dark[8] > dark[0]);
  soften(new Uint8ClampedArray(0), "dark");
});

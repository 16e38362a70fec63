/** What lies below the ways: the scene's picture, a grid of round numbers, axes with their names and units. */

import { edges, screenX, screenY } from "./camera.js";
import { INKS } from "./colours.js";
import { ticks } from "./scales.js";
import { BOLD, FONT, arranged, labelled, shorten, widthIn } from "./text.js";
import { COLUMNS } from "./trails.js";

/** @typedef {import("./camera.js").View} View */
/** @typedef {import("./decode.js").Scene} Scene */
/** @typedef {import("./trails.js").Plane} Plane */
/** @typedef {{view: View, scene: Scene|null, plane: Plane, backdrop: HTMLCanvasElement|null, theme: import("./colours.js").Theme}} Ground */

const MARGIN = { left: 66, top: 12, right: 16, bottom: 46 };
const TINY = 160;

/**
 * Returns where the axes are on a canvas; on a tiny one they take all of it.
 *
 * @param {number} width Pixels of the stage.
 * @param {number} height
 * @param {number} [ratio] Device pixels each. Edges lie on them, so that they are sharp and quick to clip at.
 * @returns {import("./camera.js").Box}
 */
export function boxOf(width, height, ratio = 1) {
  if (width < TINY || height < TINY) return { left: 0, top: 0, width: Math.max(width, 1), height: Math.max(height, 1) };
  const [left, top] = [whole(MARGIN.left, ratio), whole(MARGIN.top, ratio)];
  return { left, top, width: whole(width - MARGIN.right, ratio) - left, height: whole(height - MARGIN.bottom, ratio) - top };
}

/**
 * @param {number} at
 * @param {number} ratio
 */
function whole(at, ratio) {
  return Math.round(at * ratio) / ratio;
}

/**
 * Returns the names of the two axes, with units.
 *
 * @param {Scene|null} scene
 * @param {Plane} plane
 * @returns {string[]}
 */
export function axesOf(scene, plane) {
  const units = scene?.units ? ` [${scene.units}]` : "";
  return COLUMNS[plane].map((column) => (scene?.axes[column] || "xyz"[column]) + units);
}

/**
 * Paints all of the canvas.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Ground} ground
 * @param {number} width Pixels of the stage.
 * @param {number} height
 */
export function paintGround(context, { view, scene, plane, backdrop, theme }, width, height) {
  const inks = INKS[theme];
  const { left, top, width: wide, height: high } = view;
  const [x0, x1, y0, y1] = edges(view);
  const [nameX, nameY] = axesOf(scene, plane);
  const across = ticks(x0, x1, Math.max(1, wide / 100), nameX);
  const up = ticks(y0, y1, Math.max(1, high / 60), nameY);
  context.fillStyle = inks.ground;
  context.fillRect(0, 0, width, height);
  context.save();
  context.beginPath();
  context.rect(left, top, wide, high);
  context.clip();
  context.fillStyle = inks.grid;
  const ratio = context.getTransform().a;
  const thin = Math.max(1, Math.round(ratio)) / ratio;
  for (const x of across.values) context.fillRect(whole(screenX(view, x), ratio), top, thin, high);
  for (const y of up.values) context.fillRect(left, whole(screenY(view, y), ratio), wide, thin);
  if (backdrop && scene?.extent && plane === "xy") {
    const [a, b, c, d] = scene.extent;
    const [u0, u1, v0, v1] = [screenX(view, a), screenX(view, b), screenY(view, d), screenY(view, c)];
    // Its pixels are seen as such once they are large; smaller ones are smoothed.
    context.imageSmoothingEnabled = Math.abs(u1 - u0) < 8 * backdrop.width;
    context.drawImage(backdrop, u0, v0, u1 - u0, v1 - v0);
  }
  context.restore();
  if (left) paintAxes(context, view, across, up, inks, thin);
}

/** @typedef {ReturnType<typeof ticks>} Ticks */

/**
 * @param {CanvasRenderingContext2D} context
 * @param {View} view
 * @param {Ticks} across
 * @param {Ticks} up
 * @param {{frame: string, text: string}} inks
 * @param {number} thin The width of lines.
 */
function paintAxes(context, view, across, up, inks, thin) {
  const { left, top, width, height, stretch } = view;
  const bottom = top + height;
  context.strokeStyle = inks.frame;
  context.lineWidth = thin;
  context.strokeRect(left - thin / 2, top - thin / 2, width + thin, height + thin);
  context.font = FONT;
  context.fillStyle = inks.text;
  const wide = (/** @type {string} */ text) => context.measureText(text).width;
  context.textAlign = "center";
  context.textBaseline = "top";
  let free = 0; // labels do not run into each other
  const columns = across.values.map((x, i) => ({ u: screenX(view, x), label: across.labels[i] }));
  for (const { u, label } of columns.sort((one, other) => one.u - other.u)) {
    const half = wide(label) / 2;
    if (u - half < free) continue;
    context.fillText(label, u, bottom + 7);
    free = u + half + 8;
  }
  context.textAlign = "right";
  context.textBaseline = "middle";
  up.values.forEach((y, i) => context.fillText(up.labels[i], left - 7, screenY(view, y), left - 26));
  context.font = BOLD;
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  context.fillText(shorten(across.title, width, wide), left + width / 2, bottom + 38);
  context.save();
  context.translate(14, top + height / 2);
  context.rotate(-Math.PI / 2);
  // Said where one sees it: angles are not what they seem.
  const stretched = stretch === 1 ? "" : stretch > 1 ? ` (drawn ${stretch} times as high)` : ` (drawn ${1 / stretch} times as low)`;
  context.fillText(shorten(up.title + stretched, height, wide), 0, 4);
  context.restore();
}

/**
 * Returns the scene's places, as labels.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Ground} ground
 */
export function placesOf(context, { view, scene, plane }) {
  if (plane !== "xy" || !scene) return [];
  const names = Object.entries(scene.places).map(([name, [x, y]]) => ({ text: labelled(context, name), u: screenX(view, x), v: screenY(view, y) }));
  return arranged(names, view, widthIn(context));
}

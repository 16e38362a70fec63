/** Where entities are and began: dots and rings in an edge of the ground's colour. */

import { screenX, screenY } from "./camera.js";
import { INKS } from "./colours.js";
import { present } from "./trails.js";

/** @typedef {import("./camera.js").View} View */
/** @typedef {import("./trails.js").Track} Track */
/** @typedef {{start: number, here: number}} Sizes Radii; 0 draws none. */

/**
 * Returns how large to draw marks of so many entities.
 *
 * @param {number} count
 * @returns {Sizes}
 */
export function sizesOf(count) {
  if (count <= 12) return { start: 5, here: 6 };
  if (count <= 60) return { start: 4, here: 5 };
  return { start: 0, here: count <= 300 ? 4 : 3 };
}

/**
 * Returns where a row of a track is on the screen.
 *
 * @param {View} view
 * @param {Track} track
 * @param {number[]} origin
 * @param {number} row
 * @returns {[number, number]}
 */
export function spot(view, { entity: { points, dims }, a, b }, origin, row) {
  return [screenX(view, origin[a] + points[row * dims + a]), screenY(view, origin[b] + points[row * dims + b])];
}

/**
 * Draws rings where ways begin, as far as that is at `step` or before, and dots where entities are.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {View} view
 * @param {Track[]} tracks
 * @param {number[]} origin
 * @param {number} step
 * @param {{tint: import("./tint.js").Tint, theme: import("./colours.js").Theme, sizes: Sizes, starts: "none"|"past"|"all"}} look
 */
export function paintMarks(context, view, tracks, origin, step, { tint, theme, sizes, starts }) {
  const { ground } = INKS[theme];
  if (sizes.start && starts !== "none") {
    context.lineWidth = 2;
    context.fillStyle = ground;
    for (const track of tracks) {
      const row = track.runs[0];
      if (starts === "past" && track.entity.steps[row] > step) continue;
      context.strokeStyle = tint.ink(track, row);
      disc(context, spot(view, track, origin, row), sizes.start - 1);
      context.fill();
      context.stroke();
    }
  }
  context.lineWidth = 1.5;
  context.strokeStyle = ground;
  for (const track of tracks) {
    const row = present(track, step);
    if (row < 0) continue;
    context.fillStyle = tint.ink(track, row);
    disc(context, spot(view, track, origin, row), sizes.here);
    context.fill();
    context.stroke();
  }
}

/**
 * Draws a ring round what is below the cursor.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {[number, number]} at
 * @param {{ground: string, text: string}} inks
 */
export function paintHover(context, at, { ground, text }) {
  for (const [width, ink] of /** @type {[number, string][]} */ ([[5, ground], [2, text]])) {
    context.lineWidth = width;
    context.strokeStyle = ink;
    disc(context, at, 9);
    context.stroke();
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {[number, number]} at
 * @param {number} radius
 */
function disc(context, [u, v], radius) {
  context.beginPath();
  context.arc(u, v, radius, 0, 2 * Math.PI);
}

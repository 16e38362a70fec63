/**
 * Lines through points: ways as paths on the canvas, in pieces of one colour each.
 *
 * Points are projected in doubles, as coordinates may be large and what is looked at small. Points less than a
 * pixel further and pieces outside of the box are left out, so that a frame costs what is seen of it.
 */

import { screenX, screenY } from "./camera.js";
import { rowsOf } from "./trails.js";

/** @typedef {import("./camera.js").View} View */
/** @typedef {import("./trails.js").Track} Track */
/** @typedef {import("./trails.js").Span} Span */
/** @typedef {import("./tint.js").Tint} Tint */
/** @typedef {{moveTo: (u: number, v: number) => void, lineTo: (u: number, v: number) => void}} Pen */
/** @typedef {{width: number, alpha: number, near: number}} Style
 * `near`: points that are not as far from the last one are left out. */

/** What is nearer is not told apart. */
export const FINE = 1;
const ROUGH = 4;
/** So many points, in device pixels, are drawn finely in 10 ms without a graphics card; so many roughly. */
const SOME = 12_000;
const MANY = 70_000;
const AIR = 8;

/**
 * Returns how to draw so many ways: as the pictures do (tbtrace/views/strokes.py), in full colour in every crowd.
 *
 * Where the next frame is about to come and many points are in the way of it, corners are cut; of very many points
 * lines are one device pixel thin, which takes a fifth of the time.
 *
 * @param {number} count
 * @param {number} ratio Device pixels per pixel of the stage.
 * @param {number} points To draw in a hurry; 0 where there is time.
 * @returns {Style}
 */
export function styleOf(count, ratio, points) {
  const width = count <= 12 ? 2.5 : 2;
  const cost = points * Math.max(1, ratio);
  if (cost <= SOME) return { width, alpha: 1, near: FINE };
  return { width: cost <= MANY ? width : 1 / ratio, alpha: 1, near: ROUGH };
}

/**
 * Draws what tracks have in a span.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {View} view
 * @param {Track[]} tracks Later ones on top; where colours stand for numbers, what is late or high.
 * @param {number[]} origin
 * @param {Span} span
 * @param {Tint} tint
 * @param {Style} style
 * @param {boolean} [joined] From the last point before the span, as the rest of the way is drawn already.
 */
export function paintWays(context, view, tracks, origin, span, tint, style, joined = false) {
  context.save();
  context.globalAlpha = style.alpha;
  context.lineWidth = style.width;
  context.lineJoin = "round";
  // Where lines shine through, round ends would be seen twice; on many short pieces they take most of the time.
  context.lineCap = style.alpha < 1 || tint.inks.length ? "butt" : "round";
  /** @type {Map<string, {path: Path2D, dots: Path2D}>} */
  let pens = new Map();
  const flush = () => {
    for (const [ink, { path, dots }] of pens) {
      context.strokeStyle = context.fillStyle = ink;
      context.stroke(path);
      context.fill(dots);
    }
    pens = new Map();
  };
  const penOf = (/** @type {string} */ ink) => {
    const known = pens.get(ink) ?? { path: new Path2D(), dots: new Path2D() };
    pens.set(ink, known);
    return known;
  };
  if (tint.ranked) for (const ink of tint.inks) penOf(ink); // in their order
  for (const track of tracks) {
    const classes = tint.classes(track);
    const whole = classes ? "" : tint.ink(track, 0);
    const inkOf = (/** @type {number} */ row) => (classes ? tint.inks[classes[row]] : whole);
    const [from, to] = rowsOf(track.entity.steps, span);
    walk(track, origin, view, Math.max(0, joined ? from - 1 : from), to, style.near, classes, (row) => penOf(inkOf(row)).path, (u, v, row) => {
      const { dots } = penOf(inkOf(row));
      dots.moveTo(u + style.width, v);
      dots.arc(u, v, style.width, 0, 2 * Math.PI);
    });
    if (!tint.ranked) flush();
  }
  flush();
  context.restore();
}

/**
 * Walks along the rows of a track and draws each run.
 *
 * @param {Track} track
 * @param {number[]} origin
 * @param {View} view
 * @param {number} from Row.
 * @param {number} to The row after the last one.
 * @param {number} near See `Style`.
 * @param {Uint8Array|null} classes A piece has the class of the point where it begins.
 * @param {(row: number) => Pen} penOf What draws the piece that begins at a row.
 * @param {(u: number, v: number, row: number) => void} dot Called where a run begins and goes nowhere: it has one
 *     point, or stands still.
 */
export function walk(track, origin, view, from, to, near, classes, penOf, dot) {
  const { entity: { points, dims }, a, b, runs } = track;
  const kx = view.scale * view.dirX;
  const ky = -view.scale * view.stretch * view.dirY;
  const u0 = screenX(view, origin[a]);
  const v0 = screenY(view, origin[b]);
  const [left, right] = [view.left - AIR, view.left + view.width + AIR];
  const [top, bottom] = [view.top - AIR, view.top + view.height + AIR];
  for (let k = 0; k < runs.length && runs[k] < to; k += 2) {
    const start = Math.max(runs[k], from);
    const stop = Math.min(runs[k + 1], to);
    if (start >= stop) continue;
    let u = u0 + points[start * dims + a] * kx;
    let v = v0 + points[start * dims + b] * ky;
    let side = (u < left ? 1 : 0) | (u > right ? 2 : 0) | (v < top ? 4 : 0) | (v > bottom ? 8 : 0);
    let moved = false;
    let drawn = -1; // the class of the open line; -1 when there is none
    /** @type {Pen|null} */
    let pen = null;
    for (let row = start + 1; row < stop; row++) {
      const nextU = u0 + points[row * dims + a] * kx;
      const nextV = v0 + points[row * dims + b] * ky;
      const close = nextU - u < near && u - nextU < near && nextV - v < near && v - nextV < near;
      if (close && !(moved && row === stop - 1)) continue;
      const nextSide = (nextU < left ? 1 : 0) | (nextU > right ? 2 : 0) | (nextV < top ? 4 : 0) | (nextV > bottom ? 8 : 0);
      if (side & nextSide) {
        drawn = -1;
      } else {
        // Of points that were left out the last one counts, as what an entity that stood is when it goes on.
        const one = classes ? classes[row - 1] : 0;
        if (one !== drawn || !pen) {
          pen = penOf(row - 1);
          pen.moveTo(u, v);
        }
        pen.lineTo(nextU, nextV);
        drawn = one;
      }
      [u, v, side, moved] = [nextU, nextV, nextSide, true];
    }
    if (!moved && !side && start === runs[k]) dot(u, v, start);
  }
}

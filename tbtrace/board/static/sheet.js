/**
 * A sheet: what is complete of ways that grow, kept from frame to frame.
 *
 * Ways are complete in blocks of steps. So a frame of a playing episode draws a block's worth of points at most,
 * whatever the way it came by: blocks always begin at the same steps, and a frame looks the same after a jump as
 * after playing.
 */

import { clip, contextOf } from "./canvas.js";
import { spanOf } from "./trails.js";
import { FINE, paintWays, styleOf } from "./ways.js";

/** @typedef {import("./paint.js").Picture} Picture */
/** @typedef {import("./decode.js").Recording} Recording */
/** @typedef {{tracks: import("./trails.js").Track[], tint: import("./tint.js").Tint, points: number}} Layer
 * Tracks in their colours; how many points they have. */

const BLOCK = 64;
const LEAST = 16;
const POINTS = 4000;
const MOST_BLOCKS = 256;

export class Sheet {
  #canvas = document.createElement("canvas");
  #context;
  /** @type {Picture|null} */ #picture = null;
  #blocks = 0;
  /** Whether ways were drawn in a hurry. */
  #rough = false;
  #ratio = 1;

  /** @param {boolean} alpha Whether one sees through it. */
  constructor(alpha) {
    this.#context = contextOf(this.#canvas, alpha);
  }

  /** Whether it is to be painted once more when there is time. */
  get rough() {
    return this.#rough;
  }

  /**
   * @param {number} width Device pixels.
   * @param {number} height
   * @param {number} ratio Device pixels per pixel of the stage.
   */
  resize(width, height, ratio) {
    Object.assign(this.#canvas, { width, height });
    this.#ratio = ratio;
    this.forget();
  }

  /** Begins anew with the next picture. */
  forget() {
    this.#picture = null;
    this.#rough = false;
  }

  /**
   * Brings the sheet to a number of complete blocks.
   *
   * @param {Picture} picture
   * @param {Layer} layer The same for the same picture.
   * @param {number} blocks
   * @param {boolean} hurry Whether many points may be drawn roughly, as the next picture is about to come.
   * @param {(context: CanvasRenderingContext2D) => void} begin Paints what lies below the ways, all of the sheet.
   */
  grow(picture, layer, blocks, hurry, begin) {
    const { recording, view } = picture;
    const context = this.#context;
    context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    if (this.#picture !== picture || blocks < this.#blocks || (this.#rough && !hurry)) {
      begin(context);
      this.#picture = picture;
      this.#blocks = 0;
      this.#rough = false;
    }
    if (recording && blocks > this.#blocks && layer.tracks.length) {
      const many = blocks - this.#blocks > 1 || picture.trail === "all";
      const style = styleOf(picture.tracks.length, this.#ratio, hurry && many ? layer.points : 0);
      this.#rough ||= style.near > FINE;
      context.save();
      clip(context, view);
      for (let block = this.#blocks; block < blocks; block++) {
        paintWays(context, view, layer.tracks, recording.origin, blockOf(picture, block), layer.tint, style, block > 0);
      }
      context.restore();
    }
    this.#blocks = blocks;
  }

  /** @param {CanvasRenderingContext2D} context Of a canvas of the same size. */
  copyTo(context) {
    context.save();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.#canvas, 0, 0);
    context.restore();
  }
}

/**
 * Returns how many blocks are complete at a step: one of a whole episode, none of a tail.
 *
 * @param {Picture} picture
 * @param {number} step
 */
export function complete({ recording, trail }, step) {
  if (!recording) return 0;
  if (trail === "all") return 1;
  if (trail !== Infinity) return 0;
  return Math.max(0, Math.floor((step - recording.firstStep) / sizeOf(recording)));
}

/**
 * Returns the steps of a block.
 *
 * @param {Picture} picture
 * @param {number} block
 * @returns {import("./trails.js").Span}
 */
export function blockOf({ recording, trail }, block) {
  if (!recording || trail === "all") return spanOf(0, "all");
  const size = sizeOf(recording);
  const from = recording.firstStep + block * size;
  return { from, to: from + size - 1 };
}

/** @param {Recording} recording */
function sizeOf({ firstStep, lastStep, entities }) {
  // Crowds have shorter blocks, as the open one is drawn in each frame; long episodes longer ones, so that there are
  // never many.
  const size = Math.min(BLOCK, Math.max(LEAST, Math.ceil(POINTS / Math.max(1, entities.length))));
  return Math.max(size, Math.ceil((lastStep - firstStep) / MOST_BLOCKS));
}

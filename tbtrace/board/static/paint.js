/**
 * One frame: ground, ways, marks and names.
 *
 * What does not change from step to step is kept on a sheet of its own: the ground, and of ways that grow the blocks
 * of steps that are complete. So a frame of a playing episode draws a block's worth of points at most, whatever the
 * way it came by: blocks always begin at the same steps, and a frame looks the same after a jump as after playing.
 */

import { INKS } from "./colours.js";
import { paintGround, placesOf } from "./ground.js";
import { paintHover, paintMarks, sizesOf, spot } from "./marks.js";
import { arranged, write } from "./text.js";
import { paled } from "./tint.js";
import { present, spanOf } from "./trails.js";
import { paintWays, styleOf } from "./ways.js";

/** @typedef {import("./ground.js").Ground} Ground */
/** @typedef {import("./tint.js").Tint} Tint */
/** @typedef {import("./trails.js").Track} Track */
/** @typedef {import("./trails.js").Trail} Trail */
/** @typedef {import("./trails.js").Span} Span */
/** @typedef {Ground & {recording: import("./decode.js").Recording|null, tracks: Track[], selected: ReadonlySet<string>, tint: Tint, trail: Trail}} Picture
 * All that a frame depends on but the step. `tracks`: those that are shown. */
/** @typedef {{track: Track, row: number}} Spot */

const BLOCK = 64;
const BANDS = 5;
const MANY = 60;
const MOST_NAMES = 12;

export class Painter {
  #canvas;
  #context;
  #sheet = document.createElement("canvas");
  #base;
  /** @type {Picture|null} */
  #painted = null;
  #blocks = 0;
  /** @type {import("./text.js").Label[]} */
  #places = [];
  #ratio = 1;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = opaque(canvas);
    this.#base = opaque(this.#sheet);
  }

  /**
   * Follows the canvas's size on the page.
   *
   * @param {number} width CSS pixels.
   * @param {number} height
   * @param {number} ratio Device pixels each.
   */
  resize(width, height, ratio) {
    this.#ratio = ratio;
    this.#painted = null;
    for (const canvas of [this.#canvas, this.#sheet]) {
      canvas.width = Math.max(1, Math.round(width * ratio));
      canvas.height = Math.max(1, Math.round(height * ratio));
    }
  }

  /**
   * @param {Picture} picture The same object as long as nothing in it changed.
   * @param {number} step
   * @param {Spot|null} hovered
   */
  paint(picture, step, hovered) {
    const { recording, tracks, selected, trail, theme, view } = picture;
    const context = this.#context;
    const some = tracks.some(({ entity }) => selected.has(entity.key));
    const chosen = some ? tracks.filter(({ entity }) => selected.has(entity.key)) : [];
    const others = some ? tracks.filter(({ entity }) => !selected.has(entity.key)) : tracks;
    const back = some ? paled(picture.tint, theme) : picture.tint;
    const blocks = recording ? this.#complete(recording, trail, step) : 0;
    if (this.#painted !== picture || blocks < this.#blocks) this.#restart(picture);
    if (recording && trail === "all" && blocks > this.#blocks) {
      this.#ways(this.#base, picture, others, spanOf(step, trail), back);
    } else if (recording) {
      for (let block = this.#blocks; block < blocks; block++) {
        this.#ways(this.#base, picture, others, blockOf(recording, block), back, block > 0);
      }
    }
    this.#blocks = blocks;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.#sheet, 0, 0);
    context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    if (recording) {
      context.save();
      clip(context, view);
      const starts = trail === "all" ? "all" : trail === Infinity ? "past" : "none";
      const look = { theme, sizes: sizesOf(tracks.length), starts: /** @type {"all"|"past"|"none"} */ (starts) };
      const open = { from: blockOf(recording, blocks).from, to: step };
      if (trail === Infinity) this.#ways(context, picture, others, open, back, blocks > 0);
      else if (trail !== "all") this.#tail(picture, others, step, trail, back);
      // What is selected lies above all of what is not.
      write(context, this.#places, INKS[theme]);
      paintMarks(context, view, others, recording.origin, step, { ...look, tint: back });
      if (trail === Infinity || trail === "all") this.#ways(context, picture, chosen, spanOf(step, trail), picture.tint);
      else this.#tail(picture, chosen, step, trail, picture.tint);
      paintMarks(context, view, chosen, recording.origin, step, { ...look, tint: picture.tint });
      this.#names(picture, chosen, step);
      if (hovered) paintHover(context, spot(view, hovered.track, recording.origin, hovered.row), INKS[theme]);
      context.restore();
    }
  }

  /** @param {Picture} picture */
  #restart(picture) {
    const [width, height] = [this.#canvas.width / this.#ratio, this.#canvas.height / this.#ratio];
    this.#base.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    paintGround(this.#base, picture, width, height);
    this.#places = placesOf(this.#base, picture);
    this.#painted = picture;
    this.#blocks = 0;
  }

  /**
   * Returns how many blocks of steps are complete.
   *
   * @param {import("./decode.js").Recording} recording
   * @param {Trail} trail
   * @param {number} step
   */
  #complete(recording, trail, step) {
    if (trail === "all") return 1;
    if (trail !== Infinity) return 0;
    return Math.max(0, Math.floor((step - recording.firstStep) / sizeOf(recording)));
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Picture} picture
   * @param {Track[]} tracks
   * @param {Span} span
   * @param {Tint} tint
   * @param {boolean} [joined]
   */
  #ways(context, { view, recording, tracks: all }, tracks, span, tint, joined) {
    if (!recording || !tracks.length) return;
    context.save();
    clip(context, view);
    paintWays(context, view, tracks, recording.origin, span, tint, styleOf(all.length), joined);
    context.restore();
  }

  /**
   * Draws the last steps, paler the older they are.
   *
   * @param {Picture} picture
   * @param {Track[]} tracks
   * @param {number} step
   * @param {number} trail
   * @param {Tint} tint
   */
  #tail({ view, recording, tracks: all }, tracks, step, trail, tint) {
    if (!recording || !tracks.length) return;
    const { width, alpha } = styleOf(all.length);
    const most = all.length > MANY ? 2 : BANDS; // among many nobody sees more
    const bands = Math.min(most, Math.max(1, Math.floor(trail)));
    for (let band = 0; band < bands; band++) {
      const span = { from: step - trail + Math.floor((trail * band) / bands) + (band ? 1 : 0), to: step - trail + Math.floor((trail * (band + 1)) / bands) };
      const paler = (band + 1) / bands;
      paintWays(this.#context, view, tracks, recording.origin, span, tint, { width, alpha: alpha * paler }, band > 0);
    }
  }

  /**
   * Writes the names of what is selected beside it.
   *
   * @param {Picture} picture
   * @param {Track[]} chosen
   * @param {number} step
   */
  #names({ view, recording, theme }, chosen, step) {
    if (!recording) return;
    const context = this.#context;
    const names = chosen.slice(0, MOST_NAMES).flatMap((track) => {
      const row = present(track, step);
      if (row < 0) return [];
      const [u, v] = spot(view, track, recording.origin, row);
      return [{ text: track.name, u, v: v - 6 }];
    });
    write(context, arranged(names, view, (text) => context.measureText(text).width), INKS[theme]);
  }
}

/** @param {import("./decode.js").Recording} recording */
function sizeOf({ firstStep, lastStep }) {
  // Long episodes have longer blocks, so that there are never many.
  return Math.max(BLOCK, Math.ceil((lastStep - firstStep) / 256));
}

/**
 * @param {import("./decode.js").Recording} recording
 * @param {number} block
 * @returns {Span}
 */
function blockOf(recording, block) {
  const size = sizeOf(recording);
  const from = recording.firstStep + block * size;
  return { from, to: from + size - 1 };
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./camera.js").Box} box
 */
function clip(context, { left, top, width, height }) {
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
}

/** @param {HTMLCanvasElement} canvas */
function opaque(canvas) {
  const context = canvas.getContext("2d", { alpha: false });
  if (!context) throw new Error("This browser gives no canvas to draw on.");
  return context;
}

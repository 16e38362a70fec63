/**
 * One frame: ground, ways, marks and names.
 *
 * What does not change from step to step is kept on two sheets: one has the ground and the ways, the other one, which
 * is seen through, the ways of what is selected, as these lie above all marks of what is not.
 */

import { clip, contextOf } from "./canvas.js";
import { INKS } from "./colours.js";
import { paintGround, placesOf } from "./ground.js";
import { paintHover, paintMarks, sizesOf, spot } from "./marks.js";
import { Sheet, blockOf, complete } from "./sheet.js";
import { arranged, labelled, widthIn, write } from "./text.js";
import { paled } from "./tint.js";
import { present, spanOf } from "./trails.js";
import { FINE, paintWays, styleOf } from "./ways.js";

/** @typedef {import("./ground.js").Ground} Ground */
/** @typedef {import("./sheet.js").Layer} Layer */
/** @typedef {import("./tint.js").Tint} Tint */
/** @typedef {import("./trails.js").Track} Track */
/** @typedef {import("./trails.js").Trail} Trail */
/** @typedef {Ground & {recording: import("./decode.js").Recording|null, tracks: Track[], selected: ReadonlySet<string>, tint: Tint, trail: Trail}} Picture
 * All that a frame depends on but the step. `tracks`: those that are shown. */
/** @typedef {{track: Track, row: number}} Spot */
/** @typedef {{turns: boolean, runs: boolean}} Haste `turns`: whether the camera moves or steps go back; `runs`: whether
 * steps come one after another. */

/** So few points of what is selected are drawn quicker than a sheet of them is copied. */
const FEW = 4000;
const BANDS = 5;
const MANY = 60;
const MOST_NAMES = 12;

export class Painter {
  #canvas;
  #context;
  #base = new Sheet(false);
  #top = new Sheet(true);
  /** What is not selected and what is, of the picture that was painted last. @type {{picture: Picture, others: Layer, chosen: Layer}|null} */
  #sorted = null;
  /** @type {import("./text.js").Label[]} */
  #places = [];
  #ratio = 1;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = contextOf(canvas, false);
  }

  /**
   * Follows the canvas's size on the page.
   *
   * @param {number} width Of the stage, in its own pixels, as all that is drawn.
   * @param {number} height
   * @param {number} ratio Device pixels per pixel of the stage.
   */
  resize(width, height, ratio) {
    const size = { width: Math.max(1, Math.round(width * ratio)), height: Math.max(1, Math.round(height * ratio)) };
    Object.assign(this.#canvas, size);
    for (const sheet of [this.#base, this.#top]) sheet.resize(size.width, size.height, ratio);
    this.#ratio = ratio;
  }

  /**
   * @param {Picture} picture The same object as long as nothing in it changed.
   * @param {number} step
   * @param {Spot|null} hovered
   * @param {Haste} haste
   * @returns {boolean} Whether to paint once more when there is time: it was done roughly.
   */
  paint(picture, step, hovered, { turns, runs }) {
    const { recording, trail, theme, view, tracks } = picture;
    const { others, chosen } = this.#sort(picture);
    const context = this.#context;
    const blocks = complete(picture, step);
    this.#base.grow(picture, others, blocks, turns, (base) => this.#ground(base, picture));
    const kept = chosen.points > FEW ? blocks : 0;
    if (kept) this.#top.grow(picture, chosen, kept, turns, (top) => this.#clear(top));
    context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    this.#base.copyTo(context);
    if (!recording) return false;
    context.save();
    clip(context, view);
    const starts = trail === "all" ? "all" : trail === Infinity ? "past" : "none";
    const look = { theme, sizes: sizesOf(tracks.length), starts: /** @type {"all"|"past"|"none"} */ (starts) };
    let rough = this.#open(picture, others, step, blocks, turns || runs);
    write(context, this.#places, INKS[theme]);
    paintMarks(context, view, others.tracks, recording.origin, step, { ...look, tint: others.tint });
    if (chosen.tracks.length) {
      if (kept) this.#top.copyTo(context);
      rough = this.#open(picture, chosen, step, kept, turns || runs) || rough;
      paintMarks(context, view, chosen.tracks, recording.origin, step, { ...look, tint: chosen.tint });
      this.#names(picture, chosen.tracks, step);
    }
    if (hovered) paintHover(context, spot(view, hovered.track, recording.origin, hovered.row), INKS[theme]);
    context.restore();
    return rough || this.#base.rough || this.#top.rough;
  }

  /** @param {Picture} picture */
  #sort(picture) {
    if (this.#sorted?.picture === picture) return this.#sorted;
    const { tracks, selected, tint, theme } = picture;
    const chosen = selected.size ? tracks.filter(({ entity }) => selected.has(entity.key)) : [];
    const others = chosen.length ? tracks.filter(({ entity }) => !selected.has(entity.key)) : tracks;
    const back = chosen.length ? paled(tint, theme) : tint;
    this.#top.forget();
    this.#sorted = { picture, others: layerOf(others, back), chosen: layerOf(chosen, tint) };
    return this.#sorted;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Picture} picture
   */
  #ground(context, picture) {
    paintGround(context, picture, this.#canvas.width / this.#ratio, this.#canvas.height / this.#ratio);
    this.#places = placesOf(context, picture);
  }

  /** @param {CanvasRenderingContext2D} context */
  #clear(context) {
    context.clearRect(0, 0, this.#canvas.width / this.#ratio, this.#canvas.height / this.#ratio);
  }

  /**
   * Draws what is not on a sheet: of ways that grow what comes after the blocks, of others the last steps, paler the
   * older they are.
   *
   * @param {Picture} picture
   * @param {Layer} layer
   * @param {number} step
   * @param {number} blocks On a sheet.
   * @param {boolean} hurry
   * @returns {boolean} Whether that was done roughly.
   */
  #open(picture, { tracks, tint }, step, blocks, hurry) {
    const { view, recording, trail, tracks: all } = picture;
    if (!recording || !tracks.length || (trail === "all" && blocks)) return false;
    if (trail === "all" || trail === Infinity) {
      const span = trail === "all" ? spanOf(step, trail) : { from: blockOf(picture, blocks).from, to: step };
      paintWays(this.#context, view, tracks, recording.origin, span, tint, styleOf(all.length, this.#ratio, 0), blocks > 0);
      return false;
    }
    const style = styleOf(all.length, this.#ratio, hurry ? tracks.length * trail : 0);
    const most = all.length > MANY ? 2 : BANDS; // among many nobody sees more
    const bands = Math.min(most, Math.max(1, Math.floor(trail)));
    for (let band = 0; band < bands; band++) {
      const span = { from: step - trail + Math.floor((trail * band) / bands) + (band ? 1 : 0), to: step - trail + Math.floor((trail * (band + 1)) / bands) };
      paintWays(this.#context, view, tracks, recording.origin, span, tint, { ...style, alpha: (band + 1) / bands }, band > 0);
    }
    return style.near > FINE;
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
      return [{ text: labelled(context, track.name), u, v: v - 6 }];
    });
    write(context, arranged(names, view, widthIn(context)), INKS[theme]);
  }
}

/**
 * @param {Track[]} tracks
 * @param {Tint} tint
 * @returns {Layer}
 */
function layerOf(tracks, tint) {
  return { tracks, tint, points: tracks.reduce((sum, { entity }) => sum + entity.steps.length, 0) };
}

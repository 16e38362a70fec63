/**
 * From where one looks: the camera, and what it depends on: the size of the canvas, and what there is to see.
 *
 * Inside of the stage all is measured in its own pixels: CSS pixels, but larger where the page's letters are larger
 * (style.css), so that letters, lines, marks and what the pointer reaches grow with them. Outside, and so for all that
 * this class takes and gives but `view`, they are CSS pixels.
 */

import { fitted, limitsOf, panned, stretchOf, zoomed } from "./camera.js";
import { boxOf } from "./ground.js";

/** @typedef {import("./camera.js").Camera} Camera */

/** The page's letters on an ordinary screen, in CSS pixels. */
const LETTERS = 13;
const FARTHEST = 1 / 64;
const NEAREST = 1e5;

export class Viewpoint {
  /** Whether both axes have one scale even where that leaves a thin strip. */
  equal = false;
  /** CSS pixels, and device pixels, per pixel of the stage. */
  unit = 1;
  ratio = 1;
  /** Of the stage, in its pixels. */
  width = 1;
  height = 1;
  /** @type {Camera|null} In the stage's pixels. */ #camera = null;
  /** Whether the camera shows all, as nobody has moved it. */
  #home = true;
  #stretch = 1;
  /** The scene's, whose axes may run backwards. @type {number[]|null} */ #extent = null;
  #limits = limitsOf(null, null);

  /** Whether there is a camera. */
  get set() {
    return this.#camera !== null;
  }

  /**
   * @param {import("./camera.js").Limits|null} seen Where entities are.
   * @param {number[]|null} extent Of the scene.
   * @param {boolean} first Whether that decides the aspect, as nothing was seen before.
   */
  measure(seen, extent, first) {
    this.#extent = extent;
    this.#limits = limitsOf(seen, extent);
    if (first) this.#stretch = this.#aspect();
  }

  /**
   * @param {number} width Of the canvas.
   * @param {number} height
   * @param {number} letters The size of the page's.
   * @param {number} ratio Device pixels each.
   */
  resize(width, height, letters, ratio) {
    this.unit = letters / LETTERS || 1;
    this.ratio = this.unit * ratio;
    this.width = width / this.unit;
    this.height = height / this.unit;
    if (this.#camera && this.#home) this.fit(true);
  }

  /** @param {boolean} something Whether there is something to see; else what comes next is shown whole. */
  fit(something) {
    this.#stretch = this.#aspect();
    this.#camera = something ? fitted(this.#limits, this.#box(), this.#stretch) : null;
    this.#home = true;
  }

  get camera() {
    const { x, y, scale } = this.#seen();
    return { x, y, scale: scale * this.unit };
  }

  set camera({ x, y, scale }) {
    if (![x, y, scale].every(Number.isFinite) || scale <= 0) return; // an address may say anything
    this.#look({ x, y, scale: scale / this.unit });
  }

  /** Where the axes are on the canvas. */
  get box() {
    const { left, top, width, height } = this.#box();
    return { left: left * this.unit, top: top * this.unit, width: width * this.unit, height: height * this.unit };
  }

  /**
   * @param {number} factor
   * @param {number} [u] What stays where it is: by default the middle.
   * @param {number} [v]
   */
  zoom(factor, u, v) {
    const { left, top, width, height } = this.#box();
    const { scale } = fitted(this.#limits, this.#box(), this.#stretch);
    const [midU, midV] = [u === undefined ? left + width / 2 : u / this.unit, v === undefined ? top + height / 2 : v / this.unit];
    this.#look(zoomed(this.view, midU, midV, factor, { least: scale * FARTHEST, most: scale * NEAREST }));
  }

  /**
   * @param {number} du To the right.
   * @param {number} dv Downwards.
   */
  pan(du, dv) {
    this.#look(panned(this.view, du / this.unit, dv / this.unit));
  }

  /** @returns {import("./camera.js").View} */
  get view() {
    const e = this.#extent;
    const [dirX, dirY] = e ? [Math.sign(e[1] - e[0]), Math.sign(e[3] - e[2])] : [1, 1];
    return { ...this.#seen(), ...this.#box(), stretch: this.#stretch, dirX, dirY };
  }

  /** @param {Camera} camera */
  #look(camera) {
    if (!this.#camera) this.#stretch = this.#aspect();
    this.#camera = camera;
    this.#home = false;
  }

  #seen() {
    return this.#camera ?? fitted(this.#limits, this.#box(), this.#stretch);
  }

  #box() {
    return boxOf(this.width, this.height, this.ratio);
  }

  #aspect() {
    return this.equal ? 1 : stretchOf(this.#limits);
  }
}

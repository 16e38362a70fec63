/**
 * The stage: one episode on a canvas, with a camera that the user moves.
 *
 * It holds what is to be seen, asks for one frame when something changed, and tells what the pointer does. How it is
 * drawn is for paint.js.
 */

import { Aim, selection } from "./aim.js";
import { backdrop } from "./backdrop.js";
import { fitted, limitsOf, panned, stretchOf, zoomed } from "./camera.js";
import { shown } from "./filter.js";
import { listen } from "./gestures.js";
import { boxOf } from "./ground.js";
import { hoverOf } from "./reading.js";
import { Memory } from "./memory.js";
import { Painter } from "./paint.js";
import { tint } from "./tint.js";
import { extentOf, tracks } from "./trails.js";
import { START, alike } from "./wish.js";

/** @typedef {import("./camera.js").Camera} Camera */
/** @typedef {import("./decode.js").Recording} Recording */
/** @typedef {import("./trails.js").Track} Track */
/** @typedef {{onHover: (hover: import("./reading.js").Hover|null) => void, onSelect: (selected: Set<string>) => void, onCamera: (camera: Camera) => void}} Events */

const FARTHEST = 1 / 64;
const NEAREST = 1e5;

export class Stage {
  /** Repaints so far, and how long the last one took, in milliseconds. */
  stats = { frames: 0, lastMs: 0 };
  #canvas;
  #events;
  #painter;
  #silence;
  #run = "";
  #memory = new Memory();
  /** @type {Recording|null} */ #recording = null;
  /** @type {import("./backdrop.js").Picture|null} */ #background = null;
  /** @type {{picture: import("./backdrop.js").Picture, dark: boolean, canvas: HTMLCanvasElement|null}|null} */ #backdrop = null;
  /** @type {import("./wish.js").Wish} */ #wish = START;
  /** @type {Track[]} */ #tracks = [];
  /** @type {import("./camera.js").Limits} */ #limits = limitsOf(null, null);
  /** @type {Camera|null} */ #camera = null;
  /** Whether the camera shows all, as nobody has moved it. */
  #home = true;
  #stretch = 1;
  /** Whether there was an episode before: the first one decides the aspect, also where a camera is set already. */
  #shown = false;
  #size = { width: 1, height: 1 };
  /** @type {import("./paint.js").Picture|null} What the next frame shows; null once something changed. */
  #picture = null;
  #aim = new Aim([]);
  /** @type {{u: number, v: number, clientX: number, clientY: number}|null} */ #pointer = null;
  /** @type {import("./paint.js").Spot|null} */ #hovered = null;
  #frame = 0;
  /** Whether something changed since the last frame. */
  #stale = false;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Events} events `onSelect` says what a click asks for; `update` makes it so. `onCamera` is called after
   *     the pointer moved the camera, not after calls.
   */
  constructor(canvas, events) {
    this.#canvas = canvas;
    this.#events = events;
    this.#painter = new Painter(canvas);
    this.#silence = listen(canvas, {
      pan: (du, dv) => this.#moved(panned(this.#view(), du, dv)),
      zoom: (factor, u, v) => this.#moved(zoomed(this.#view(), u, v, factor, this.#bounds())),
      hover: (at) => {
        this.#pointer = at;
        this.#ask();
      },
      click: (u, v, add) => this.#click(u, v, add),
    });
    this.resize();
  }

  /**
   * Shows an episode, or nothing. The camera stays where it is, unless there never was one.
   *
   * @param {Recording|null} recording
   * @param {import("./backdrop.js").Picture|null} background Fills the scene's extent.
   */
  show(recording, background) {
    if (recording && recording.run !== this.#run) this.#memory = new Memory();
    this.#run = recording?.run ?? this.#run;
    this.#recording = recording;
    this.#background = background;
    if (recording) this.#memory.observe(recording);
    this.#measure();
    if (recording && !this.#camera) this.fit();
    this.#shown ||= recording !== null;
    this.#change();
  }

  /** @param {Partial<import("./wish.js").Wish>} wish What is not given stays. Another plane or aspect fits the camera. */
  update(wish) {
    const before = this.#wish;
    this.#wish = { ...before, ...wish };
    if (this.#wish.plane !== before.plane || this.#wish.equal !== before.equal) {
      this.#measure();
      this.fit();
    }
    if (!alike(this.#wish, before)) this.#change();
    else if (this.#wish.step !== before.step) this.#ask();
  }

  /** Shows all of the episode; without one, the next one is shown whole. */
  fit() {
    this.#stretch = this.#aspect();
    this.#camera = this.#recording && fitted(this.#limits, this.#box(), this.#stretch);
    this.#home = true;
    this.#change();
  }

  get camera() {
    return this.#camera ?? fitted(this.#limits, this.#box(), this.#stretch);
  }

  set camera({ x, y, scale }) {
    if (![x, y, scale].every(Number.isFinite) || scale <= 0) return; // an address may say anything
    if (!this.#camera) this.#stretch = this.#aspect();
    this.#camera = { x, y, scale };
    this.#home = false;
    this.#change();
  }

  /**
   * Zooms round the middle, for a key or a button.
   *
   * @param {number} factor
   */
  zoom(factor) {
    const { left, top, width, height } = this.#box();
    this.camera = zoomed(this.#view(), left + width / 2, top + height / 2, factor, this.#bounds());
  }

  /**
   * Moves what is seen, for a key.
   *
   * @param {number} du Pixels to the right.
   * @param {number} dv Pixels downwards.
   */
  pan(du, dv) {
    this.camera = panned(this.#view(), du, dv);
  }

  get legend() {
    const { tint: colours, tracks: all } = this.#scene();
    return colours.legend(all);
  }

  /** Follows the canvas's size on the page. */
  resize() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    this.#size = { width, height };
    this.#painter.resize(width, height, globalThis.devicePixelRatio || 1);
    if (this.#camera && this.#home) this.fit();
    this.#change();
  }

  destroy() {
    cancelAnimationFrame(this.#frame);
    this.#silence();
  }

  #box() {
    return boxOf(this.#size.width, this.#size.height);
  }

  /** @returns {import("./camera.js").View} */
  #view() {
    const extent = this.#wish.plane === "xy" ? this.#recording?.scene?.extent : null;
    const [dirX, dirY] = extent ? [Math.sign(extent[1] - extent[0]), Math.sign(extent[3] - extent[2])] : [1, 1];
    return { ...this.camera, ...this.#box(), stretch: this.#stretch, dirX, dirY };
  }

  #aspect() {
    return this.#wish.equal ? 1 : stretchOf(this.#limits);
  }

  #bounds() {
    const { scale } = fitted(this.#limits, this.#box(), this.#stretch);
    return { least: scale * FARTHEST, most: scale * NEAREST };
  }

  /** Works out what depends on the episode and the plane alone. */
  #measure() {
    const { plane } = this.#wish;
    this.#tracks = this.#recording ? tracks(this.#recording, plane) : [];
    const seen = this.#recording ? extentOf(this.#tracks, this.#recording.origin) : null;
    this.#limits = limitsOf(seen, plane === "xy" ? (this.#recording?.scene?.extent ?? null) : null);
    if (!this.#shown) this.#stretch = this.#aspect();
    this.#aim = new Aim(this.#tracks);
    this.#hovered = null;
  }

  /** @returns {import("./paint.js").Picture} */
  #scene() {
    if (this.#picture) return this.#picture;
    const { colour, plane, groups, text, selected, trail, dark } = this.#wish;
    const theme = dark ? "dark" : "light";
    if (this.#background && (this.#backdrop?.picture !== this.#background || this.#backdrop.dark !== dark)) {
      this.#backdrop = { picture: this.#background, dark, canvas: backdrop(this.#background, theme) };
    }
    this.#picture = {
      recording: this.#recording,
      tracks: shown(this.#tracks, groups, text),
      tint: tint(colour, this.#tracks, this.#memory, theme),
      scene: this.#recording?.scene ?? null,
      backdrop: this.#background ? (this.#backdrop?.canvas ?? null) : null,
      view: this.#view(),
      ...{ plane, selected, trail, theme },
    };
    return this.#picture;
  }

  /** @param {Camera} camera */
  #moved(camera) {
    this.camera = camera;
    this.#events.onCamera(this.camera);
  }

  #change() {
    this.#picture = null;
    this.#ask();
  }

  #ask() {
    this.#stale = true;
    this.#frame ||= requestAnimationFrame(this.#paint);
  }

  #paint = () => {
    this.#frame = 0;
    if (!this.#stale) return;
    // A player's frame comes before one that is asked for now, so its steps are painted in the frame they are made in.
    this.#frame = requestAnimationFrame(this.#paint);
    this.#stale = false;
    this.#hover();
    const before = performance.now();
    this.#painter.paint(this.#scene(), this.#wish.step, this.#hovered);
    this.stats.lastMs = performance.now() - before;
    this.stats.frames += 1;
  };

  #hover() {
    const at = this.#pointer;
    const found = at && this.#aim.find(this.#scene(), this.#wish.step, at);
    if (!found && !this.#hovered) return;
    this.#hovered = found;
    if (!at || !found || !this.#recording) return this.#events.onHover(null);
    this.#events.onHover(hoverOf(found, this.#recording, at));
  }

  /**
   * @param {number} u
   * @param {number} v
   * @param {boolean} add
   */
  #click(u, v, add) {
    const found = this.#aim.find(this.#scene(), this.#wish.step, { u, v });
    const next = selection(this.#wish.selected, found?.track.entity.key, add);
    if (next) this.#events.onSelect(next);
  }
}

/**
 * The stage: one episode on a canvas, with a camera that the user moves.
 *
 * It holds what is to be seen, asks for one frame when something changed, and tells what the pointer does. How it is
 * drawn is for paint.js.
 */

import { Aim, selection } from "./aim.js";
import { backdrop } from "./backdrop.js";
import { shown } from "./filter.js";
import { listen } from "./gestures.js";
import { hoverOf } from "./reading.js";
import { Memory } from "./memory.js";
import { Painter } from "./paint.js";
import { tint } from "./tint.js";
import { extentOf, tracks } from "./trails.js";
import { Viewpoint } from "./viewpoint.js";
import { START, alike } from "./wish.js";

/** @typedef {import("./camera.js").Camera} Camera */
/** @typedef {import("./decode.js").Recording} Recording */
/** @typedef {import("./trails.js").Track} Track */
/** @typedef {{onHover: (hover: import("./reading.js").Hover|null) => void, onSelect: (selected: Set<string>) => void, onCamera: (camera: Camera) => void}} Events */

/** So long after the last step or move there is time to paint finely, in milliseconds. */
const CALM = 150;

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
  #viewpoint = new Viewpoint();
  /** Whether there was an episode before: the first one decides the aspect, also where a camera is set already. */
  #shown = false;
  /** @type {import("./paint.js").Picture|null} What the next frame shows; null once something changed. */
  #picture = null;
  #aim = new Aim([]);
  /** @type {{u: number, v: number, clientX: number, clientY: number}|null} */ #pointer = null;
  /** @type {import("./paint.js").Spot|null} */ #hovered = null;
  #frame = 0;
  /** Whether something changed since the last frame. */
  #stale = false;
  /** When the camera moved, or steps went back, and when a step came: the frame after may be about to come. */
  #turned = -Infinity;
  #stepped = -Infinity;
  /** The timer that asks for a fine frame after rough ones. */
  #calm = 0;

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
      pan: (du, dv) => this.#moved(() => this.pan(du, dv)),
      zoom: (factor, u, v) => this.#moved(() => this.zoom(factor, u, v)),
      hover: (at) => {
        this.#pointer = at;
        this.#ask();
      },
      click: (u, v, add) => this.#click({ u, v }, add),
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
    if (recording && !this.#viewpoint.set) this.fit();
    this.#shown ||= recording !== null;
    this.#change();
  }

  /** @param {Partial<import("./wish.js").Wish>} wish What is not given stays. Another plane or aspect fits the camera. */
  update(wish) {
    const before = this.#wish;
    this.#wish = { ...before, ...wish };
    if (this.#wish.plane !== before.plane || this.#wish.equal !== before.equal) {
      this.#viewpoint.equal = this.#wish.equal;
      this.#measure();
      this.fit();
    }
    if (!alike(this.#wish, before)) this.#change();
    const { step } = this.#wish;
    if (step === before.step) return;
    this.#stepped = performance.now();
    if (step < before.step) this.#turned = this.#stepped;
    this.#ask();
  }

  /** Shows all of the episode; without one, the next one is shown whole. */
  fit() {
    this.#viewpoint.fit(this.#recording !== null);
    this.#change();
  }

  /** Where the axes are on the canvas, in CSS pixels. */
  get box() {
    return this.#viewpoint.box;
  }

  /** The centre, in data coordinates, and CSS pixels per unit. */
  get camera() {
    return this.#viewpoint.camera;
  }

  set camera(camera) {
    this.#viewpoint.camera = camera;
    this.#look();
  }

  /**
   * Zooms, for a key, a button or a wheel.
   *
   * @param {number} factor More than 1 magnifies.
   * @param {number} [u] What stays where it is, in CSS pixels from the canvas's left top corner; by default the middle.
   * @param {number} [v]
   */
  zoom(factor, u, v) {
    this.#viewpoint.zoom(factor, u, v);
    this.#turned = performance.now();
    this.#look();
  }

  /**
   * Moves what is seen.
   *
   * @param {number} du CSS pixels to the right.
   * @param {number} dv CSS pixels downwards.
   */
  pan(du, dv) {
    this.#viewpoint.pan(du, dv);
    this.#turned = performance.now();
    this.#look();
  }

  /** How many entities are shown. */
  get drawn() {
    return this.#scene().tracks.length;
  }

  get legend() {
    const { tint: colours, tracks: all } = this.#scene();
    return colours.legend(all);
  }

  /** Follows the canvas's size on the page. */
  resize() {
    const { clientWidth, clientHeight } = this.#canvas;
    const letters = Number.parseFloat(getComputedStyle(this.#canvas.ownerDocument.documentElement).fontSize);
    this.#viewpoint.resize(clientWidth, clientHeight, letters, globalThis.devicePixelRatio || 1);
    const { width, height, ratio } = this.#viewpoint;
    this.#painter.resize(width, height, ratio);
    this.#change();
  }

  destroy() {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#calm);
    this.#silence();
  }

  /** Works out what depends on the episode and the plane alone. */
  #measure() {
    const { plane } = this.#wish;
    this.#tracks = this.#recording ? tracks(this.#recording, plane) : [];
    const seen = this.#recording ? extentOf(this.#tracks, this.#recording.origin) : null;
    this.#viewpoint.measure(seen, plane === "xy" ? (this.#recording?.scene?.extent ?? null) : null, !this.#shown);
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
      view: this.#viewpoint.view,
      ...{ plane, selected, trail, theme },
    };
    return this.#picture;
  }

  /** @param {() => void} move */
  #moved(move) {
    move();
    this.#events.onCamera(this.camera);
  }

  /** The camera is another one; colours stay, which are much to work out. */
  #look() {
    if (this.#picture) this.#picture = { ...this.#picture, view: this.#viewpoint.view };
    this.#ask();
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
    const haste = { turns: before - this.#turned < CALM, runs: before - this.#stepped < CALM };
    const rough = this.#painter.paint(this.#scene(), this.#wish.step, this.#hovered, haste);
    clearTimeout(this.#calm);
    if (rough) this.#calm = window.setTimeout(() => this.#ask(), CALM);
    this.stats.lastMs = performance.now() - before;
    this.stats.frames += 1;
  };

  /** @param {{u: number, v: number}} place CSS pixels from the canvas's left top corner. */
  #find({ u, v }) {
    const { unit } = this.#viewpoint;
    return this.#aim.find(this.#scene(), this.#wish.step, { u: u / unit, v: v / unit });
  }

  #hover() {
    const at = this.#pointer;
    const found = at && this.#find(at);
    if (!found && !this.#hovered) return;
    this.#hovered = found;
    if (!at || !found || !this.#recording) return this.#events.onHover(null);
    this.#events.onHover(hoverOf(found, this.#recording, at));
  }

  /**
   * @param {{u: number, v: number}} place
   * @param {boolean} add
   */
  #click(place, add) {
    const found = this.#find(place);
    const next = selection(this.#wish.selected, found?.track.entity.key, add);
    if (next) this.#events.onSelect(next);
  }
}

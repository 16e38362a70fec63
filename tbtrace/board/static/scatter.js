/**
 * The return of every episode of a split over the iterations, small: a click takes one. The dots
 * lie on a canvas of their own, which is drawn again only when there are new ones.
 */

import { el, say, zoomOf } from "./dom.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Change} Change */
/** @typedef {import("./catalogue.js").Catalogue} Catalogue */

const MARGIN = 8;
/** How far from a dot a click may be. */
const REACH = 14;

export class Scatter {
  /** @param {Change} change */
  constructor(change) {
    this.change = change;
    this.dots = el("canvas", { "aria-hidden": "true" });
    this.mark = el("canvas", {
      tabindex: 0,
      // Up and down choose; a screen reader leaves the arrow keys to a slider.
      role: "slider",
      "aria-label": "Episode of the iteration, by return",
      "aria-orientation": "vertical",
      "aria-valuemin": 1,
      pointermove: (/** @type {PointerEvent} */ event) => this.#hover(event),
      pointerleave: () => (this.told.textContent = this.range),
      click: (/** @type {MouseEvent} */ event) => this.#take(this.#nearest(event)),
      keydown: (/** @type {KeyboardEvent} */ event) => this.#key(event),
    });
    this.told = el("span", { class: "told quiet", role: "status" });
    this.plot = el("div", { class: "scatter" }, this.dots, this.mark);
    this.node = el(
      "section",
      { "aria-label": "Returns" },
      el("div", { class: "line" }, el("span", { class: "title" }, "Returns"), this.told),
      this.plot,
    );
    /** @type {State|null} */
    this.state = null;
    /** What the dots were drawn of. @type {unknown[]} */
    this.drawn = [];
    /** From the least return to the greatest, in words. */
    this.range = "";
    /** Where each row's dot is, in CSS pixels; NaN: in another split. */
    this.x = new Float32Array(0);
    this.y = new Float32Array(0);
    new ResizeObserver(() => this.state && this.update(this.state)).observe(this.plot);
  }

  /** @param {State} state */
  update(state) {
    this.state = state;
    this.node.hidden = !state.catalogue?.size;
    const { clientWidth: width, clientHeight: height } = this.plot;
    if (!state.catalogue || width === 0) return;
    const theme = document.documentElement.dataset.theme;
    const drawn = [state.catalogue, state.view.split, width, height, theme, window.devicePixelRatio];
    if (drawn.some((value, i) => value !== this.drawn[i])) {
      this.drawn = drawn;
      this.#place(state.catalogue, state.view.split, width, height);
      this.#dots(state.catalogue, width, height);
    }
    this.#mark(state, width, height);
    this.#say(state);
  }

  /** @param {State} state */
  #say({ catalogue, row }) {
    if (!catalogue || row < 0) return;
    const ranked = this.#ranked();
    // The greatest value is at the top.
    this.mark.setAttribute("aria-valuemax", String(ranked.length));
    this.mark.setAttribute("aria-valuenow", String(ranked.length - ranked.indexOf(row)));
    const { columns } = catalogue;
    this.mark.setAttribute("aria-valuetext", `return ${say(columns.return[row])}, ${ranked.indexOf(row) + 1} of ${ranked.length}`);
  }

  /** @returns {number[]} Rows of the iteration's episodes, the greatest return first. */
  #ranked() {
    if (!this.state?.catalogue) return [];
    const { catalogue, view, position } = this.state;
    const [from, to] = catalogue.rows(view.split, position);
    const value = (/** @type {number} */ row) => catalogue.columns.return[row] ?? -Infinity;
    const rows = Array.from({ length: to - from }, (_, i) => from + i);
    return rows.sort((a, b) => (value(a) === value(b) ? a - b : value(b) - value(a)));
  }

  /**
   * @param {Catalogue} catalogue
   * @param {string} split
   * @param {number} width
   * @param {number} height
   */
  #place(catalogue, split, width, height) {
    const { columns } = catalogue;
    const iterations = catalogue.iterations(split);
    this.x = new Float32Array(catalogue.size).fill(NaN);
    this.y = new Float32Array(catalogue.size).fill(NaN);
    let low = Infinity;
    let high = -Infinity;
    /** @type {number[]} */
    const rows = [];
    iterations.forEach((_, position) => {
      const [from, to] = catalogue.rows(split, position);
      for (let row = from; row < to; row++) {
        rows.push(row);
        low = Math.min(low, columns.return[row] ?? Infinity);
        high = Math.max(high, columns.return[row] ?? -Infinity);
      }
    });
    this.range = low <= high ? `${say(low)} to ${say(high)}` : "none";
    this.told.textContent = this.range;
    const first = iterations[0];
    const span = (iterations.at(-1) ?? first) - first;
    for (const row of rows) {
      const value = columns.return[row];
      const along = span ? (columns.iteration[row] - first) / span : 0.5;
      const up = value === null ? 0 : high > low ? (value - low) / (high - low) : 0.5;
      this.x[row] = MARGIN + along * (width - 2 * MARGIN);
      this.y[row] = height - MARGIN - up * (height - 2 * MARGIN);
    }
  }

  /**
   * @param {Catalogue} catalogue
   * @param {number} width
   * @param {number} height
   */
  #dots({ columns }, width, height) {
    const context = sized(this.dots, width, height);
    context.fillStyle = ink(this.plot, "--dot");
    const size = zoomOf() * (this.x.length > 2000 ? 2 : this.x.length > 300 ? 3 : 4);
    for (let row = 0; row < this.x.length; row++) {
      if (Number.isNaN(this.x[row])) continue;
      // An episode without a return is a dash on the floor.
      if (columns.return[row] === null) context.fillRect(this.x[row] - 3, height - 2, 6, 1);
      else context.fillRect(this.x[row] - size / 2, this.y[row] - size / 2, size, size);
    }
  }

  /**
   * @param {State} state
   * @param {number} width
   * @param {number} height
   */
  #mark({ row }, width, height) {
    const context = sized(this.mark, width, height);
    if (row < 0 || Number.isNaN(this.x[row])) return;
    context.strokeStyle = context.fillStyle = ink(this.plot, "--accent");
    context.globalAlpha = 0.5;
    context.fillRect(this.x[row] - 0.5, 0, 1, height);
    context.globalAlpha = 1;
    context.lineWidth = 2 * zoomOf();
    context.beginPath();
    context.arc(this.x[row], this.y[row], 5 * zoomOf(), 0, 2 * Math.PI);
    context.stroke();
  }

  /**
   * @param {MouseEvent} event
   * @returns {number} A row; -1: no dot is near.
   */
  #nearest({ offsetX, offsetY }) {
    let found = -1;
    let least = REACH ** 2;
    for (let row = 0; row < this.x.length; row++) {
      const distance = (this.x[row] - offsetX) ** 2 + (this.y[row] - offsetY) ** 2;
      if (distance < least) [found, least] = [row, distance];
    }
    return found;
  }

  /** @param {PointerEvent} event */
  #hover(event) {
    const row = this.#nearest(event);
    const columns = this.state?.catalogue?.columns;
    this.mark.style.cursor = row < 0 ? "default" : "pointer";
    if (!columns) return;
    this.told.textContent =
      row < 0
        ? this.range
        : `${say(columns.return[row])} in ${columns.length[row]} steps, iteration ${columns.iteration[row]}`;
  }

  /** @param {number} row */
  #take(row) {
    if (row < 0 || !this.state?.catalogue) return;
    const { iteration, uid } = this.state.catalogue.ref(row);
    this.change({ iteration, uid, follow: false });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!by || !this.state?.catalogue) return;
    event.preventDefault();
    const ranked = this.#ranked();
    this.#take(ranked[ranked.indexOf(this.state.row) + by] ?? -1);
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} width CSS pixels.
 * @param {number} height
 * @returns {CanvasRenderingContext2D} Of an empty canvas, in CSS pixels.
 */
function sized(canvas, width, height) {
  const ratio = window.devicePixelRatio;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.scale(ratio, ratio);
  return context;
}

/**
 * @param {HTMLElement} node
 * @param {string} name Of a colour in the stylesheet.
 */
function ink(node, name) {
  return window.getComputedStyle(node).getPropertyValue(name).trim();
}

/** Where everything is: the controls left, the stage beside them, time below it. */

import { el } from "./dom.js";

/**
 * @typedef {object} Parts
 * @property {Node[]} side From above to below.
 * @property {Node} notes
 * @property {Node[]} head The line above the stage.
 * @property {HTMLCanvasElement} canvas
 * @property {Node} over What lies over the stage.
 * @property {Node} below
 * @property {Node[]} loose What has no place of its own.
 */

/**
 * @param {HTMLElement} root
 * @param {Parts} parts
 * @returns {HTMLElement} The box of the stage.
 */
export function layOut(root, { side, notes, head, canvas, over, below, loose }) {
  const stage = el("div", { class: "stage" }, canvas, over);
  root.append(
    el(
      "div",
      { class: "tbtrace" },
      el("aside", { "aria-label": "Choose" }, ...side),
      el("main", {}, notes, el("div", { class: "head" }, ...head), stage, below),
    ),
    ...loose,
  );
  return stage;
}

/**
 * @param {Record<"fit"|"closer"|"farther"|"help", () => void>} acts
 */
export function viewButtons({ fit, closer, farther, help }) {
  return el(
    "div",
    { class: "line", role: "group", "aria-label": "View" },
    el("button", { title: "Fit everything (f)", click: fit }, "Fit"),
    el("button", { "aria-label": "Zoom in", title: "Zoom in (+)", click: closer }, "+"),
    el("button", { "aria-label": "Zoom out", title: "Zoom out (−)", click: farther }, "−"),
    el("button", { "aria-label": "Help", title: "Keys (?)", click: help }, "?"),
  );
}

/** The keyboard: what keys do wherever the focus is, and the page that tells. */

import { el } from "./dom.js";

/** @typedef {Record<"before"|"after"|"play"|"back"|"forth"|"fit"|"closer"|"farther"|"clear"|"help", () => void>} Acts */

/** @type {[keyof Acts, string[], string, string][]} Act, keys, how they are written, what they do. */
const KEYS = [
  ["before", ["ArrowLeft"], "←", "iteration before"],
  ["after", ["ArrowRight"], "→", "next iteration"],
  ["play", [" "], "space", "play, pause"],
  ["back", [","], ",", "one step back"],
  ["forth", ["."], ".", "one step on"],
  ["fit", ["f"], "f", "fit everything"],
  ["closer", ["+", "="], "+", "zoom in"],
  ["farther", ["-"], "−", "zoom out"],
  ["clear", ["Escape"], "esc", "select nothing"],
  ["help", ["?"], "?", "this page"],
];

const MOUSE = [
  ["drag, wheel", "move, zoom"],
  ["click", "select an entity; with ctrl or shift one more"],
];

/** @param {Acts} acts */
export function listenToKeys(acts) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const found = KEYS.find(([, keys]) => keys.includes(event.key));
    if (!found || taken(event)) return;
    event.preventDefault();
    acts[found[0]]();
  });
}

/**
 * Whether the key belongs to the control that has the focus.
 *
 * @param {KeyboardEvent} event
 */
function taken({ key, target }) {
  if (!(target instanceof HTMLElement)) return false;
  const dialog = target.closest("dialog");
  if (dialog) return dialog.open; // a closed one keeps the focus for a few milliseconds
  if (target.matches("input[type=range]")) return key.startsWith("Arrow");
  if (target.matches("input[type=search], input[type=number]")) return key !== "Escape";
  if (target.matches("select")) return !["Escape", "ArrowLeft", "ArrowRight"].includes(key);
  // A button that was clicked keeps the focus, but who plays with the space bar does not mean it.
  return key === " " && target.matches("button, summary, input") && target.matches(":focus-visible");
}

export class Help {
  constructor() {
    this.node = el(
      "dialog",
      { "aria-label": "Help", click: () => this.node.close() },
      el("h2", {}, "Keys"),
      el("dl", {}, ...KEYS.flatMap(([, , key, text]) => row(key, text)), ...MOUSE.flatMap(([key, text]) => row(key, text))),
      el("button", { click: () => this.node.close() }, "Close"),
    );
  }

  show() {
    this.node.showModal();
  }
}

/**
 * @param {string} key
 * @param {string} text
 */
function row(key, text) {
  return [el("dt", {}, el("kbd", {}, key)), el("dd", {}, text)];
}

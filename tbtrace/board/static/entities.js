/** The list of entities: choosing one here is choosing it on the canvas. */

import { clip, el } from "./dom.js";
import { shown } from "./filter.js";
import { swatch } from "./looks.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Change} Change */
/** @typedef {import("./decode.js").Entity} Entity */

/** More rows than anyone reads; the filter finds the others. */
const MOST = 300;

export class Entities {
  /** @param {Change} change */
  constructor(change) {
    this.change = change;
    this.filter = el("input", {
      type: "search",
      placeholder: "Filter by name",
      "aria-label": "Filter entities by name",
      input: () => change({ text: this.filter.value }),
    });
    this.count = el("span", { class: "quiet" });
    this.list = el("div", { class: "entities", role: "group", "aria-label": "Entities" });
    this.node = el(
      "section",
      { class: "rest", "aria-label": "Entities" },
      el("div", { class: "line" }, el("span", { class: "title" }, "Entities"), this.count),
      this.filter,
      this.list,
    );
    /** What the list was built of. */
    this.built = "";
    /** @type {Map<string, HTMLButtonElement>} */
    this.buttons = new Map();
    /** @type {Set<string>} */
    this.selected = new Set();
  }

  /** @param {State} state */
  update({ view, recording, legend }) {
    this.node.hidden = !recording?.entities.length;
    if (!recording) return;
    if (this.filter.value !== view.text) this.filter.value = view.text;
    this.selected = view.selected;
    const colours = legend?.kind === "list" ? legend.items : [];
    const found = shown(recording.entities, view.hidden, view.text);
    const built = JSON.stringify([recording.entities.length, found.length, found.slice(0, MOST).map(({ key }) => key), colours]);
    // What is built anew loses the focus.
    if (built !== this.built) {
      this.built = built;
      this.#build(recording.entities, found, colours);
    }
    for (const [key, button] of this.buttons) {
      button.setAttribute("aria-pressed", String(view.selected.has(key)));
    }
  }

  /**
   * @param {Entity[]} all
   * @param {Entity[]} found
   * @param {{colour: string, key?: string}[]} colours
   */
  #build(all, found, colours) {
    const colourOf = new Map(colours.map(({ key, colour }) => [key, colour]));
    const groups = new Set(all.map(({ group }) => group)).size;
    this.count.textContent = found.length === all.length ? `${all.length}` : `${found.length} of ${all.length}`;
    this.buttons = new Map(
      found.slice(0, MOST).map(({ key, group, name }) => {
        const colour = colourOf.get(key);
        const button = el(
          "button",
          {
            title: clip(`${group}: ${name}`, 300),
            click: (/** @type {MouseEvent} */ event) => this.#click(key, event),
          },
          ...(colour ? [swatch(colour)] : []),
          el("span", { class: "name" }, clip(name)),
          ...(groups > 1 ? [el("span", { class: "quiet" }, clip(group, 24))] : []),
        );
        return [key, button];
      }),
    );
    const more = found.length - this.buttons.size;
    this.list.replaceChildren(
      ...this.buttons.values(),
      ...(more ? [el("p", { class: "quiet" }, `and ${more} more: find them by the filter above`)] : []),
    );
  }

  /**
   * As on the canvas: alone, or with Ctrl or Shift in addition; once more is not at all.
   *
   * @param {string} key
   * @param {MouseEvent} event
   */
  #click(key, { ctrlKey, metaKey, shiftKey }) {
    const more = ctrlKey || metaKey || shiftKey;
    const selected = new Set(more ? this.selected : []);
    const was = this.selected.has(key) && (more || this.selected.size === 1);
    if (was) selected.delete(key);
    else selected.add(key);
    this.change({ selected });
  }
}

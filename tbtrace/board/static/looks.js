/** How the episode is shown: colours, plane, which groups and entities. */

import { choices, clip, el } from "./dom.js";
import { format } from "./scales.js";
import { PLANES } from "./view.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Change} Change */
/** @typedef {import("./view.js").View} View */
/** @typedef {import("./decode.js").Recording} Recording */

export class Looks {
  /** @param {Change} change */
  constructor(change) {
    this.change = change;
    this.colour = el("select", {
      id: "colour",
      change: () => change({ colour: colourOf(this.colour.value) }),
    });
    this.plane = el("select", {
      id: "plane",
      change: () => change({ plane: /** @type {View["plane"]} */ (this.plane.value), area: null }),
    });
    this.planeLine = el("div", { class: "line" }, el("label", { class: "title", for: "plane" }, "Plane"), this.plane);
    this.legend = el("div", { class: "legend", role: "group", "aria-label": "Legend" });
    this.groups = el("fieldset", {});
    this.node = el(
      "section",
      { "aria-label": "Looks" },
      el("div", { class: "line" }, el("label", { class: "title", for: "colour" }, "Colour by"), this.colour),
      this.legend,
      this.planeLine,
      this.groups,
    );
    this.grouped = "";
    this.told = "";
  }

  /** @param {State} state */
  update({ view, recording, legend }) {
    this.node.hidden = !recording?.entities.length;
    if (!recording) return;
    const colour = usableColour(view, recording);
    choices(this.colour, coloursIn(recording), valueOf(colour));
    this.planeLine.hidden = !recording.entities.some(({ dims }) => dims === 3);
    choices(this.plane, PLANES.map((value) => ({ value, label: value.split("").join(" and ") })), view.plane);
    this.#groups(view, recording);
    // With a colour for each entity, the list of entities is the legend.
    this.legend.hidden = legend === null || colour.by === "entity";
    const told = JSON.stringify(legend);
    if (!legend || told === this.told) return;
    this.told = told;
    this.legend.replaceChildren(...(legend.kind === "bar" ? bar(legend) : entries(legend)));
  }

  /**
   * @param {View} view
   * @param {Recording} recording
   */
  #groups(view, recording) {
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const { group } of recording.entities) counts.set(group, (counts.get(group) ?? 0) + 1);
    const grouped = JSON.stringify([...counts]);
    // What is built anew loses the focus.
    if (grouped !== this.grouped) {
      this.grouped = grouped;
      this.boxes = [...counts].map(([group, count]) => {
        const box = el("input", { type: "checkbox", change: () => this.#toggle(group, box.checked) });
        const label = el(
          "label",
          { class: "check", title: clip(group, 300) },
          box,
          el("span", { class: "name" }, clip(group)),
          el("span", { class: "quiet" }, String(count)),
        );
        return { group, box, label };
      });
      this.groups.replaceChildren(el("legend", { class: "title" }, "Groups"), ...this.boxes.map(({ label }) => label));
    }
    this.hidden = view.hidden;
    for (const { group, box } of this.boxes ?? []) box.checked = !view.hidden.has(group);
  }

  /**
   * @param {string} group
   * @param {boolean} on
   */
  #toggle(group, on) {
    const hidden = new Set(this.hidden);
    if (on) hidden.delete(group);
    else hidden.add(group);
    this.change({ hidden });
  }
}

/**
 * @param {Recording} recording
 * @returns {{value: string, label: string, group?: string}[]}
 */
function coloursIn({ entities }) {
  /** @type {Set<string>} */
  const names = new Set();
  for (const { channels, labels } of entities) {
    for (const name of [...channels.keys(), ...labels.keys()]) names.add(name);
  }
  return [
    ...["entity", "group", "time"].map((value) => ({ value, label: value })),
    ...[...names].sort().map((name) => ({ value: `channel:${name}`, label: name, group: "channel" })),
  ];
}

/**
 * @param {string} value Of an option.
 * @returns {View["colour"]}
 */
function colourOf(value) {
  if (value.startsWith("channel:")) return { by: "channel", name: value.slice("channel:".length) };
  return { by: /** @type {"entity"|"group"|"time"} */ (value) };
}

/**
 * The colour that can be shown: a channel that this episode lacks gives way to entities.
 *
 * @param {View} view
 * @param {Recording} recording
 * @returns {View["colour"]} The view's own object where it can be: the stage sees by that that nothing changed.
 */
export function usableColour({ colour }, { entities }) {
  const { name } = colour;
  if (name === undefined) return colour;
  return entities.some(({ channels, labels }) => channels.has(name) || labels.has(name)) ? colour : BY_ENTITY;
}

/**
 * The plane that can be shown: where no entity has a third coordinate there is one only.
 *
 * @param {View} view
 * @param {Recording} recording
 * @returns {View["plane"]}
 */
export function usablePlane({ plane }, { entities }) {
  return entities.some(({ dims }) => dims === 3) ? plane : "xy";
}

/** @type {View["colour"]} */
const BY_ENTITY = { by: "entity" };

/** @param {View["colour"]} colour */
function valueOf({ by, name }) {
  return name === undefined ? by : `channel:${name}`;
}

/** @param {Extract<import("./state.js").Legend, {kind: "bar"}>} legend */
function bar({ label, low, high, colours }) {
  const strip = el("div", { class: "strip" });
  strip.style.background = `linear-gradient(to right, ${colours.join(", ")})`;
  const name = el("span", { class: "name", title: clip(label, 300) }, clip(label));
  return [strip, el("div", { class: "ends" }, el("span", {}, format(low)), name, el("span", {}, format(high)))];
}

/** @param {Extract<import("./state.js").Legend, {kind: "list"}>} legend */
function entries({ items, more }) {
  const rows = items.map(({ label, colour }) =>
    el("div", { class: "entry" }, swatch(colour), el("span", { class: "name", title: clip(label, 300) }, clip(label))),
  );
  return more ? [...rows, el("div", { class: "quiet" }, `and ${more} more`)] : rows;
}

/** @param {string} colour */
export function swatch(colour) {
  const node = el("span", { class: "swatch" });
  node.style.background = colour;
  return node;
}

/**
 * Tint: which colour each point of a way has, by entity, group, time or a channel, and what the legend says of it.
 *
 * As the pictures do it (tbtrace/views/tint.py): numbers in 32 classes of a ramp, states in twelve colours.
 */

import { NONE, OTHERS, PALETTE, VALUE, colourOf, faded, ramp } from "./colours.js";
import { horizon } from "./scales.js";
import { clean } from "./text.js";

/** @typedef {import("./trails.js").Track} Track */
/** @typedef {import("./memory.js").Memory} Memory */
/** @typedef {import("./colours.js").Theme} Theme */
/** @typedef {{by: "entity"|"group"|"time"|"channel", name?: string}} Colouring */
/** @typedef {{kind: "list", items: {label: string, colour: string, key?: string}[], more: number} | {kind: "bar", label: string, low: number, high: number, colours: string[]}} Legend */
/** @typedef {{inks: string[], ranked: boolean, classes: (track: Track) => Uint8Array|null, ink: (track: Track, row: number) => string, legend: (shown: Track[]) => Legend}} Tint
 * `ranked`: later inks lie on top. `classes`: which of `inks` each row has; null where `ink` is the same for the whole way. */

const CLASSES = 32;
const MOST_ITEMS = 300;

/**
 * @param {Colouring} colouring A channel that no track has gives each entity its own colour.
 * @param {Track[]} all
 * @param {Memory} memory
 * @param {Theme} theme
 * @returns {Tint}
 */
export function tint(colouring, all, memory, theme) {
  const { by, name = "" } = colouring;
  if (by === "time") {
    const values = (/** @type {Track} */ { entity }) => entity.steps;
    return byValue(values, 0, horizon(memory.longest), "step", theme);
  }
  if (by === "channel" && all.some(({ entity }) => entity.channels.has(name))) {
    const [low, high] = aired(memory.range(name));
    return byValue(({ entity }) => entity.channels.get(name), low, high, name, theme);
  }
  if (by === "channel" && all.some(({ entity }) => entity.labels.has(name))) return byState(name, memory, theme);
  return byName(by === "group", all, memory, theme);
}

/**
 * Returns the tint of what is not selected.
 *
 * @param {Tint} full
 * @param {Theme} theme
 * @returns {Tint}
 */
export function paled(full, theme) {
  /** @type {Map<string, string>} */
  const known = new Map(); // asked for each way in each frame
  const pale = (/** @type {string} */ ink) => {
    const found = known.get(ink) ?? faded(ink, theme);
    known.set(ink, found);
    return found;
  };
  return { ...full, inks: full.inks.map(pale), ink: (track, row) => pale(full.ink(track, row)) };
}

/**
 * @param {boolean} groups
 * @param {Track[]} all
 * @param {Memory} memory
 * @param {Theme} theme
 * @returns {Tint}
 */
function byName(groups, all, memory, theme) {
  const several = new Set(all.map(({ group }) => group)).size > 1;
  /** @param {Track} track */
  const ink = ({ entity }) => colourOf(groups ? memory.group(entity.group) : memory.entity(entity), theme);
  return {
    inks: [],
    ranked: false,
    classes: () => null,
    ink,
    legend(shown) {
      const first = new Map(shown.map((track) => [groups ? track.group : track.entity.key, track]));
      const items = [...first.values()].slice(0, MOST_ITEMS).map((track) => {
        if (groups) return { label: clean(track.group), colour: ink(track) };
        const label = several ? `${clean(track.group)}/${clean(track.name)}` : clean(track.name);
        return { label, colour: ink(track), key: track.entity.key };
      });
      return { kind: "list", items, more: first.size - items.length };
    },
  };
}

/**
 * @param {(track: Track) => Int32Array|Float32Array|undefined} values
 * @param {number} low
 * @param {number} high
 * @param {string} label
 * @param {Theme} theme
 * @returns {Tint}
 */
function byValue(values, low, high, label, theme) {
  const colours = ramp(VALUE[theme], CLASSES);
  const inks = [NONE[theme], ...colours];
  return classed(inks, { kind: "bar", label: clean(label), low, high, colours }, (track) => {
    const numbers = values(track);
    const classes = new Uint8Array(track.entity.steps.length);
    if (!numbers) return classes;
    for (let i = 0; i < classes.length; i++) {
      const at = ((numbers[i] - low) / (high - low)) * CLASSES;
      classes[i] = Number.isNaN(at) ? 0 : 1 + Math.min(Math.max(at, 0), CLASSES - 1);
    }
    return classes;
  });
}

/**
 * @param {string} channel
 * @param {Memory} memory
 * @param {Theme} theme
 * @returns {Tint}
 */
function byState(channel, memory, theme) {
  const palette = PALETTE[theme];
  const inks = [NONE[theme], OTHERS[theme], ...palette];
  const order = memory.states(channel);
  const inkOf = (/** @type {string} */ state) => {
    const number = order.get(state) ?? palette.length;
    return number < palette.length ? 2 + number : 1;
  };
  const made = classed(inks, null, ({ entity }) => {
    const classes = new Uint8Array(entity.steps.length);
    const labels = entity.labels.get(channel);
    if (!labels) return classes;
    const known = labels.states.map(inkOf);
    for (let i = 0; i < classes.length; i++) classes[i] = known[labels.codes[i]] ?? 0;
    return classes;
  });
  return {
    ...made,
    legend(shown) {
      const seen = new Set(shown.flatMap((track) => [...new Set(made.classes(track))]));
      const names = [...order.keys()].slice(0, palette.length);
      const all = [...names.map((state, i) => ({ at: 2 + i, label: clean(state) })), { at: 1, label: "other states" }, { at: 0, label: "no state" }];
      const items = all.filter(({ at }) => seen.has(at)).map(({ at, label }) => ({ label, colour: inks[at] }));
      return { kind: "list", items, more: 0 };
    },
  };
}

/**
 * @param {string[]} inks
 * @param {Legend|null} legend
 * @param {(track: Track) => Uint8Array} work
 */
function classed(inks, legend, work) {
  /** @type {Map<Track, Uint8Array>} */
  const done = new Map();
  const classes = (/** @type {Track} */ track) => {
    const found = done.get(track) ?? work(track);
    done.set(track, found);
    return found;
  };
  return {
    inks,
    ranked: legend?.kind === "bar",
    classes,
    ink: (/** @type {Track} */ track, /** @type {number} */ row) => inks[classes(track)[row]],
    legend: () => /** @type {Legend} */ (legend),
  };
}

/**
 * Returns a range that can be divided, with a little air; one that begins or ends at zero keeps its sign.
 *
 * @param {[number, number]} range
 * @returns {[number, number]}
 */
function aired([low, high]) {
  const air = 0.03 * (high - low) || Math.max(0.5, 1e-6 * Math.abs(low));
  return [low >= 0 ? Math.max(0, low - air) : low - air, high <= 0 ? Math.min(0, high + air) : high + air];
}

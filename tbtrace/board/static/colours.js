/**
 * The colours of the pictures (tbtrace/views/colours.py, tbtrace/draw/ramp.py), and their kin for the dark theme.
 *
 * Twelve colours that stay apart for colour-blind eyes, and a ramp that is told apart in grey, too. The dark ones
 * keep the hues as far as that allows; each has a contrast of at least 3 to the dark ground.
 */

/** @typedef {"light"|"dark"} Theme */

const LIGHT = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#332288", "#33bbee", "#661100", "#6b4eff", "#004d40", "#aa3377", "#a0522d"];
const DARK = ["#1d81e2", "#da6221", "#1fc283", "#d098b8", "#ffa526", "#a9b0f7", "#aaffff", "#cdcd6e", "#7a4cff", "#daffc6", "#b7479d", "#956840"];

/** @type {Record<Theme, string[]>} */
export const PALETTE = { light: LIGHT, dark: DARK };

/** From low to high: matplotlib's plasma without the end that the ground hides. @type {Record<Theme, string[]>} */
export const VALUE = {
  light: ["#0d0887", "#41049d", "#6a00a8", "#8f0da4", "#b12a90", "#cc4778", "#e16462", "#f2844b", "#fca636"],
  dark: ["#b12a90", "#c43e7f", "#d5546e", "#e3695e", "#f07f4f", "#f99a3e", "#fdb52e", "#fbd324", "#f0f921"],
};

/** Where a point has no value or state. */
export const NONE = { light: "#b8b8b8", dark: "#6e6e6e" };

/** States beyond the twelfth. */
export const OTHERS = { light: "#8a8a8a", dark: "#9a9a9a" };

/** What is no data: the ground, lines and text. */
export const INKS = {
  light: { ground: "#ffffff", grid: "#e9e9e9", frame: "#8a8a8a", text: "#3c3c3c" },
  dark: { ground: "#262626", grid: "#383838", frame: "#808080", text: "#d6d6d6" },
};

/**
 * Returns the colour of the n-th entity, group or state.
 *
 * @param {number} number From 0; every twelfth has the same.
 * @param {Theme} theme
 */
export function colourOf(number, theme) {
  return PALETTE[theme][number % PALETTE[theme].length];
}

/**
 * Returns `count` colours, evenly from the first anchor to the last.
 *
 * @param {string[]} anchors `#rrggbb`, at least one.
 * @param {number} count At least 1; a single colour is the first anchor.
 */
export function ramp(anchors, count) {
  const parts = anchors.map(parse);
  return Array.from({ length: count }, (_, i) => {
    const at = count > 1 ? (i * (anchors.length - 1)) / (count - 1) : 0;
    const low = Math.min(Math.floor(at), Math.max(0, anchors.length - 2));
    const high = Math.min(low + 1, anchors.length - 1);
    const mixed = parts[low].map((part, k) => Math.round(part + (parts[high][k] - part) * (at - low)));
    return "#" + mixed.map((part) => part.toString(16).padStart(2, "0")).join("");
  });
}

/**
 * Returns a colour that steps back: mostly the ground's, and opaque, as many faint lines would add up.
 *
 * @param {string} colour `#rrggbb`.
 * @param {Theme} theme
 */
export function faded(colour, theme) {
  return ramp([INKS[theme].ground, colour], 6)[1];
}

/**
 * Returns red, green and blue from 0 to 255.
 *
 * @param {string} colour `#rrggbb`.
 */
export function parse(colour) {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
}

/**
 * Returns a number that depends on a text alone: CRC-32 of its UTF-8, as Python's zlib.crc32.
 *
 * @param {string} text
 */
export function hashOf(text) {
  let rest = 0xffffffff;
  for (const byte of new TextEncoder().encode(text)) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
  }
  return ~rest >>> 0;
}

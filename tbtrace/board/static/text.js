/** Text for the canvas: one line of what can be drawn, and never wider than its place. */

const LONGEST = 400;
const ELLIPSIS = "\u2026";

export const FONT = "12px system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
export const BOLD = `600 ${FONT}`;

/**
 * Returns `text` in one line, without control characters and what turns the direction of writing round; of a very
 * long one its beginning, with an ellipsis.
 *
 * @param {string} text
 */
export function clean(text) {
  const some = text.length > LONGEST ? text.slice(0, LONGEST - 1) + ELLIPSIS : text;
  return some.replace(/[\s\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").replace(/[\p{Cf}\p{Cs}]/gu, "").trim();
}

/**
 * Returns `text` cleaned, and cut with an ellipsis where it is wider than `room`; empty where not even that fits.
 *
 * @param {string} text
 * @param {number} room
 * @param {(text: string) => number} width
 */
export function shorten(text, room, width) {
  const line = clean(text);
  if (width(line) <= room) return line;
  const letters = [...line];
  let [low, high] = [0, letters.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (width(letters.slice(0, middle).join("") + ELLIPSIS) <= room) low = middle;
    else high = middle - 1;
  }
  return low ? letters.slice(0, low).join("") + ELLIPSIS : "";
}

/** How wide a name may be that stands in the picture. */
const ROOM = 240;
const MOST_KNOWN = 2000;
/** @type {Map<string, string>} */
const known = new Map();

/**
 * Returns what measures text for `write`.
 *
 * @param {CanvasRenderingContext2D} context
 */
export function widthIn(context) {
  return (/** @type {string} */ text) => {
    context.font = BOLD;
    return context.measureText(text).width;
  };
}

/**
 * Returns a name as it stands in the picture: shortened once and not in each frame, as names may be very long.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {string} name
 */
export function labelled(context, name) {
  const found = known.get(name);
  if (found !== undefined) return found;
  if (known.size >= MOST_KNOWN) known.clear();
  const text = shorten(name, ROOM, widthIn(context));
  known.set(name, text);
  return text;
}

/** @typedef {{text: string, u: number, v: number}} Label Where the middle of its lower edge is. */

/**
 * Returns names that stand just above their points, none over another; those outside of the box are left out.
 *
 * @param {Iterable<{text: string, u: number, v: number}>} names
 * @param {import("./camera.js").Box} box
 * @param {(text: string) => number} width
 * @returns {Label[]}
 */
export function arranged(names, box, width) {
  /** @type {Label[]} */
  const labels = [];
  /** @type {number[][]} */
  const taken = [];
  const [right, bottom] = [box.left + box.width, box.top + box.height];
  for (const { text, u, v } of names) {
    if (!(box.left <= u && u <= right && box.top <= v && v <= bottom)) continue;
    const line = shorten(text, Math.min(ROOM, box.width - 8), width);
    const half = width(line) / 2 + 2;
    const middle = Math.min(Math.max(u, box.left + half), right - half);
    const low = Math.max(v - 5, box.top + 15);
    const area = [middle - half, low - 14, middle + half, low + 3];
    if (!line || taken.some((other) => area[0] < other[2] && other[0] < area[2] && area[1] < other[3] && other[1] < area[3])) continue;
    taken.push(area);
    labels.push({ text: line, u: middle, v: low });
  }
  return labels;
}

/**
 * Writes labels with an edge in the colour of the ground, so that they stay readable on lines.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Label[]} labels
 * @param {{ground: string, text: string}} inks
 */
export function write(context, labels, inks) {
  context.save();
  context.font = BOLD;
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  context.lineJoin = "round";
  context.lineWidth = 4;
  context.strokeStyle = inks.ground;
  context.fillStyle = inks.text;
  for (const { text, u, v } of labels) {
    context.strokeText(text, u, v);
    context.fillText(text, u, v);
  }
  context.restore();
}

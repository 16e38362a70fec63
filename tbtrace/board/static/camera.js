/**
 * From data to the screen and back: a camera looks at a box of the canvas.
 *
 * Both axes have one scale, unless what is there is flatter than 8:1: then one is stretched, as in the pictures
 * (tbtrace/draw/scale.py). An axis may run backwards, as rows of grids and pixels do. All is in the
 * stage's pixels (stage.js).
 */

/** @typedef {{x: number, y: number, scale: number}} Camera Centre in data coordinates; pixels per unit. */
/** @typedef {{left: number, top: number, width: number, height: number}} Box */
/** @typedef {Camera & Box & {stretch: number, dirX: number, dirY: number}} View
 * `stretch`: pixels per unit in y over those in x. `dirX`, `dirY`: 1, or -1 for an axis that runs backwards. */
/** @typedef {[number, number, number, number]} Limits x0, x1, y0, y1, ascending. */

const FLATTEST = 8;
const LINE = 2e5;

/**
 * @param {View} view
 * @param {number} x
 */
export function screenX(view, x) {
  return view.left + view.width / 2 + (x - view.x) * view.scale * view.dirX;
}

/**
 * @param {View} view
 * @param {number} y
 */
export function screenY(view, y) {
  return view.top + view.height / 2 - (y - view.y) * view.scale * view.stretch * view.dirY;
}

/**
 * Returns the data coordinates of a place on the screen.
 *
 * @param {View} view
 * @param {number} u
 * @param {number} v
 * @returns {[number, number]}
 */
export function data(view, u, v) {
  const { left, top, width, height, scale, stretch, dirX, dirY } = view;
  return [
    view.x + ((u - left - width / 2) / scale) * dirX,
    view.y - ((v - top - height / 2) / (scale * stretch)) * dirY,
  ];
}

/**
 * Returns what the box shows: the values at its left, right, bottom and top edge.
 *
 * @param {View} view
 * @returns {[number, number, number, number]}
 */
export function edges(view) {
  const [x0, y1] = data(view, view.left, view.top);
  const [x1, y0] = data(view, view.left + view.width, view.top + view.height);
  return [x0, x1, y0, y1];
}

/**
 * Returns the camera that shows all of `limits`, as large as the box allows.
 *
 * @param {Limits} limits
 * @param {Box} box
 * @param {number} stretch
 * @returns {Camera}
 */
export function fitted([x0, x1, y0, y1], box, stretch) {
  const scale = Math.min(box.width / (x1 - x0), box.height / ((y1 - y0) * stretch));
  return { x: (x0 + x1) / 2, y: (y0 + y1) / 2, scale };
}

/**
 * Returns how much to stretch y: 1, or a power of two that makes flat limits about 3:1.
 *
 * @param {Limits} limits
 */
export function stretchOf([x0, x1, y0, y1]) {
  const sides = (x1 - x0) / (y1 - y0);
  if (sides > FLATTEST) return 2 ** Math.round(Math.log2(sides / 3));
  if (sides < 1 / FLATTEST) return 1 / 2 ** Math.round(Math.log2(1 / sides / 3));
  return 1;
}

/**
 * Returns the camera after a zoom that leaves what is below the cursor where it is.
 *
 * @param {View} view
 * @param {number} u The cursor.
 * @param {number} v
 * @param {number} factor More than 1 magnifies.
 * @param {{least: number, most: number}} bounds Of the scale.
 * @returns {Camera}
 */
export function zoomed(view, u, v, factor, { least, most }) {
  const scale = Math.min(Math.max(view.scale * factor, least), most);
  const [x, y] = data(view, u, v);
  const [dx, dy] = data({ ...view, scale }, u, v);
  return { x: view.x + x - dx, y: view.y + y - dy, scale };
}

/**
 * Returns the camera after what is seen moved by so many pixels.
 *
 * @param {View} view
 * @param {number} du To the right.
 * @param {number} dv Downwards.
 * @returns {Camera}
 */
export function panned(view, du, dv) {
  const { scale, stretch, dirX, dirY } = view;
  return { x: view.x - (du / scale) * dirX, y: view.y + (dv / (scale * stretch)) * dirY, scale };
}

/**
 * Returns what to show of an extent: with a little air; a point gets room, and a line some width.
 *
 * @param {Limits} extent
 * @returns {Limits}
 */
export function padded([x0, x1, y0, y1]) {
  const finest = 1e-6 * Math.max(...[x0, x1, y0, y1].map(Math.abs));
  let [wide, high] = [x1 - x0, y1 - y0];
  const large = Math.max(wide, high);
  if (large <= Math.max(1e-3 * finest, 1e-100)) {
    wide = high = Math.max(1, 2 * finest) / 1.06;
  } else if (Math.min(wide, high) * FLATTEST >= large || Math.min(wide, high) * LINE < large) {
    [wide, high] = [wide, high].map((span) => Math.max(span, large / (FLATTEST - 1)));
  }
  const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
  return [x - 0.53 * wide, x + 0.53 * wide, y - 0.53 * high, y + 0.53 * high];
}

/**
 * Returns what the axes show: the scene's extent, with air on sides that entities crossed; else all that is there.
 *
 * @param {Limits|null} seen Where entities are.
 * @param {number[]|null} extent Of the scene; may run backwards.
 * @returns {Limits}
 */
export function limitsOf(seen, extent) {
  if (!extent) return padded(seen ?? [0, 1, 0, 1]);
  const [x0, x1, y0, y1] = extent;
  /** @type {Limits} */
  const inside = [Math.min(x0, x1), Math.max(x0, x1), Math.min(y0, y1), Math.max(y0, y1)];
  if (!seen) return inside;
  /** @type {Limits} */
  const both = [
    Math.min(inside[0], seen[0]), Math.max(inside[1], seen[1]),
    Math.min(inside[2], seen[2]), Math.max(inside[3], seen[3]),
  ];
  const air = padded(both);
  return /** @type {Limits} */ (both.map((edge, i) => (edge === inside[i] ? edge : air[i])));
}

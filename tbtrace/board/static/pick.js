/**
 * What is below the cursor, found in a grid: cells of data know which pieces of ways come by.
 *
 * The grid does not depend on the camera or the step, so it is built once for an episode and plane, and a question
 * looks at a few cells.
 */

import { extentOf, rowAt } from "./trails.js";

/** @typedef {import("./trails.js").Track} Track */
/** @typedef {{track: Track, row: number, distance: number}} Hit `distance` in pixels. */

const MOST_CELLS = 512;
const ROOM = 1_000_000;

export class Finder {
  #tracks;
  /** The first piece of each track: a piece is a row and the way to the next one. */
  #offsets;
  #x0 = 0;
  #y0 = 0;
  #cellX = 1;
  #cellY = 1;
  #side = 1;
  /** Where the pieces of each cell begin in `#pieces`. */
  #starts = new Uint32Array(0);
  #pieces = new Uint32Array(0);

  /** @param {Track[]} tracks */
  constructor(tracks) {
    this.#tracks = tracks;
    this.#offsets = new Int32Array(tracks.length);
    let rows = 0;
    tracks.forEach(({ entity }, i) => {
      this.#offsets[i] = rows;
      rows += entity.steps.length;
    });
    this.#measure(rows);
    this.#fill(rows);
  }

  /** @param {number} rows */
  #measure(rows) {
    const [x0, x1, y0, y1] = extentOf(this.#tracks, [0, 0, 0]) ?? [0, 0, 0, 0];
    this.#x0 = x0;
    this.#y0 = y0;
    this.#side = Math.min(Math.max(Math.ceil(Math.sqrt(rows)), 1), MOST_CELLS);
    if (x1 > x0) this.#cellX = (x1 - x0) / this.#side;
    if (y1 > y0) this.#cellY = (y1 - y0) / this.#side;
  }

  /** @param {number} rows */
  #fill(rows) {
    const counts = new Uint32Array(this.#side * this.#side + 1);
    let total = 0;
    this.#visit(true, (cell) => {
      counts[cell + 1]++;
      total++;
    });
    // Where everything jumps across everything, the ends of the pieces have to do.
    const between = total <= 4 * rows + ROOM;
    if (!between) {
      counts.fill(0);
      this.#visit(false, (cell) => counts[cell + 1]++);
    }
    for (let i = 1; i < counts.length; i++) counts[i] += counts[i - 1];
    this.#starts = counts.slice();
    this.#pieces = new Uint32Array(counts[counts.length - 1]);
    this.#visit(between, (cell, piece) => (this.#pieces[counts[cell]++] = piece));
  }

  /**
   * Calls `see` with each cell that a piece comes by.
   *
   * @param {boolean} between Not only where it begins.
   * @param {(cell: number, piece: number) => void} see
   */
  #visit(between, see) {
    this.#tracks.forEach(({ entity: { points, dims }, a, b, runs }, i) => {
      for (let k = 0; k < runs.length; k += 2) {
        for (let row = runs[k]; row < runs[k + 1]; row++) {
          const x = points[row * dims + a];
          const y = points[row * dims + b];
          const piece = this.#offsets[i] + row;
          see(this.#cell(x, y), piece);
          if (!between || row + 1 === runs[k + 1]) continue;
          const dx = points[(row + 1) * dims + a] - x;
          const dy = points[(row + 1) * dims + b] - y;
          // A sample in each cell that is crossed at least: closer than a cell to each other.
          const count = Math.ceil(Math.max(Math.abs(dx) / this.#cellX, Math.abs(dy) / this.#cellY));
          for (let n = 1; n < count; n++) see(this.#cell(x + (dx * n) / count, y + (dy * n) / count), piece);
        }
      }
    });
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  #cell(x, y) {
    return this.#bound((y - this.#y0) / this.#cellY) * this.#side + this.#bound((x - this.#x0) / this.#cellX);
  }

  /** @param {number} at */
  #bound(at) {
    return Math.min(Math.max(Math.floor(at), 0), this.#side - 1);
  }

  /**
   * Returns the nearest point of the nearest piece; of equally near ones the latest.
   *
   * @param {number} x Relative to the recording's origin, as points are.
   * @param {number} y
   * @param {{perX: number, perY: number, reach: number}} pixels Per unit along x and y; how far to look.
   * @param {(track: Track) => readonly [number, number]|null} rowsOf The rows of a track that are seen.
   * @returns {Hit|null}
   */
  nearest(x, y, { perX, perY, reach }, rowsOf) {
    /** @type {Map<number, readonly [number, number]|null>} */
    const seen = new Map();
    /** @type {Hit|null} */
    let best = null;
    let least = reach;
    const [wide, high] = [reach / perX + this.#cellX, reach / perY + this.#cellY];
    const left = this.#bound((x - wide - this.#x0) / this.#cellX);
    const right = this.#bound((x + wide - this.#x0) / this.#cellX);
    const top = this.#bound((y + high - this.#y0) / this.#cellY);
    for (let line = this.#bound((y - high - this.#y0) / this.#cellY); line <= top; line++) {
      const end = this.#starts[line * this.#side + right + 1];
      for (let at = this.#starts[line * this.#side + left]; at < end; at++) {
        const number = rowAt(this.#offsets, this.#pieces[at]);
        const track = this.#tracks[number];
        let rows = seen.get(number);
        if (rows === undefined) seen.set(number, (rows = rowsOf(track)));
        const row = this.#pieces[at] - this.#offsets[number];
        if (!rows || row < rows[0] || row >= rows[1]) continue;
        const { distance, along } = away(track, row, rows[1], x, y, perX, perY);
        if (distance < least || (best && distance === least && row > best.row)) {
          best = { track, row: row + along, distance };
          least = distance;
        }
      }
    }
    return best;
  }
}

/**
 * Returns how far a place is from a piece, in pixels, and whether its beginning (0) or its end (1) is nearer.
 *
 * @param {Track} track
 * @param {number} row
 * @param {number} stop The row after the last one that is seen.
 * @param {number} x
 * @param {number} y
 * @param {number} perX
 * @param {number} perY
 */
function away({ entity: { points, dims }, a, b }, row, stop, x, y, perX, perY) {
  const at = row * dims;
  const u = (x - points[at + a]) * perX;
  const v = (y - points[at + b]) * perY;
  const du = (points[at + dims + a] - points[at + a]) * perX;
  const dv = (points[at + dims + b] - points[at + b]) * perY;
  const square = du * du + dv * dv;
  // A gap makes the square NaN, the last row reads undefined: both leave the point alone.
  if (row + 1 >= stop || !(square > 0)) return { distance: Math.hypot(u, v), along: 0 };
  const share = Math.min(Math.max((u * du + v * dv) / square, 0), 1);
  return { distance: Math.hypot(u - share * du, v - share * dv), along: share > 0.5 ? 1 : 0 };
}

/** The episodes of one run, as columns, and which of them a choice means. */

/** @typedef {import("./api.js").Columns} Columns */
/** @typedef {import("./api.js").Ref} Ref */
/** @typedef {import("./view.js").Pick} Pick */

export const SPLITS = /** @type {const} */ (["train", "evaluation"]);

export class Catalogue {
  /**
   * @param {string} run
   * @param {Columns} columns In the order of iteration, of split, and then as stored.
   */
  constructor(run, columns) {
    this.run = run;
    this.columns = columns;
    this.version = columns.version;
    /** @type {Map<string, {iterations: number[], from: number[], to: number[]}>} */
    this.blocks = new Map(SPLITS.map((split) => [split, { iterations: [], from: [], to: [] }]));
    const { iteration, split } = columns;
    for (let row = 0; row < iteration.length; row++) {
      const { iterations, from, to } = this.#of(SPLITS[split[row]]);
      if (iterations.at(-1) !== iteration[row]) {
        iterations.push(iteration[row]);
        from.push(row);
        to.push(row);
      }
      to[to.length - 1] = row + 1;
    }
  }

  get size() {
    return this.columns.uid.length;
  }

  /** The splits that have episodes. */
  get splits() {
    return SPLITS.filter((split) => this.iterations(split).length > 0);
  }

  /**
   * @param {string} split
   * @returns {number[]} Those with an episode of this split, in rising order.
   */
  iterations(split) {
    return this.#of(split).iterations;
  }

  /**
   * The position of an iteration among its split's; of one that is not there, the one before.
   *
   * @param {string} split
   * @param {number|null} iteration Null: the newest.
   * @returns {number} -1 when the split has none.
   */
  position(split, iteration) {
    const { iterations } = this.#of(split);
    let low = 0;
    let high = iterations.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (iteration === null || iterations[middle] <= iteration) low = middle + 1;
      else high = middle;
    }
    return iterations.length === 0 ? -1 : Math.max(low - 1, 0);
  }

  /**
   * The rows of the episodes at a position.
   *
   * @param {string} split
   * @param {number} position
   * @returns {[number, number]} The first, and the one behind the last.
   */
  rows(split, position) {
    const { from, to } = this.#of(split);
    return position in from ? [from[position], to[position]] : [0, 0];
  }

  /**
   * The row of the chosen episode. Of equal returns the first wins; no return wins over none only.
   *
   * @param {string} split
   * @param {number} position
   * @param {Pick} pick
   * @param {string} [uid] Wins over `pick` where such an episode is.
   * @returns {number} -1 when there is none.
   */
  row(split, position, pick, uid = "") {
    const [from, to] = this.rows(split, position);
    if (from === to) return -1;
    const named = uid ? this.columns.uid.indexOf(uid, from) : -1;
    if (named !== -1 && named < to) return named;
    if (pick === "last") return to - 1;
    const sign = pick === "best" ? 1 : -1;
    let found = -1;
    for (let row = from; row < to; row++) {
      const value = this.columns.return[row];
      if (value === null) continue;
      const least = found === -1 ? null : /** @type {number} */ (this.columns.return[found]);
      if (least === null || sign * value > sign * least) found = row;
    }
    return found === -1 ? from : found;
  }

  /**
   * @param {number} row
   * @returns {Ref}
   */
  ref(row) {
    const { iteration, split, uid } = this.columns;
    return { run: this.run, split: SPLITS[split[row]], iteration: iteration[row], uid: uid[row] };
  }

  /** @param {string} split */
  #of(split) {
    return this.blocks.get(split) ?? { iterations: [], from: [], to: [] };
  }
}

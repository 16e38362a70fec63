/** What is at a place on the screen: an entity's mark before the ways, as it lies on top. */

import { data } from "./camera.js";
import { spot } from "./marks.js";
import { Finder } from "./pick.js";
import { COLUMNS, present, rowsOf, spanOf } from "./trails.js";

/** @typedef {import("./paint.js").Picture} Picture */
/** @typedef {import("./paint.js").Spot} Spot */

const REACH = 12;

export class Aim {
  #tracks;
  /** Built when it is asked for: most episodes are looked at without. @type {Finder|null} */
  #finder = null;

  /** @param {import("./trails.js").Track[]} tracks All of the episode and plane, shown or not. */
  constructor(tracks) {
    this.#tracks = tracks;
  }

  /**
   * @param {Picture} picture
   * @param {number} step
   * @param {{u: number, v: number}} place Pixels of the stage.
   * @returns {Spot|null}
   */
  find({ recording, tracks, view, plane, trail }, step, { u, v }) {
    const { left, top, width, height } = view;
    if (!recording || u < left || u > left + width || v < top || v > top + height) return null;
    /** @type {Spot|null} */
    let best = null;
    let least = REACH;
    for (const track of tracks) {
      const row = present(track, step);
      if (row < 0) continue;
      const [markU, markV] = spot(view, track, recording.origin, row);
      const distance = Math.hypot(markU - u, markV - v);
      if (distance <= least) [best, least] = [{ track, row }, distance];
    }
    if (best) return best;
    this.#finder ??= new Finder(this.#tracks);
    const [x, y] = data(view, u, v);
    const [a, b] = COLUMNS[plane];
    const shown = new Set(tracks);
    const span = spanOf(step, trail);
    return this.#finder.nearest(
      x - recording.origin[a],
      y - recording.origin[b],
      { perX: view.scale, perY: view.scale * view.stretch, reach: REACH },
      (track) => (shown.has(track) ? rowsOf(track.entity.steps, span) : null),
    );
  }
}

/**
 * Returns what is selected after a click; null where that changes nothing.
 *
 * @param {ReadonlySet<string>} selected
 * @param {string|undefined} key What was clicked; undefined for empty ground.
 * @param {boolean} add To what is selected, or take it away.
 * @returns {Set<string>|null}
 */
export function selection(selected, key, add) {
  if (key === undefined) return add || !selected.size ? null : new Set();
  if (!add) return new Set(selected.size === 1 && selected.has(key) ? [] : [key]);
  const next = new Set(selected);
  if (!next.delete(key)) next.add(key);
  return next;
}

/**
 * Recordings at hand: the one that is looked at, its neighbours (fetched beforehand, so that the
 * next iteration is there when the user asks for it) and the last few.
 */

import { fetchRecording } from "./api.js";

/** @typedef {import("./api.js").Ref} Ref */
/** @typedef {import("./decode.js").Recording} Recording */
/** @typedef {{promise: Promise<Recording>, abort: AbortController, points: number|null}} Entry */

const MOST = 12;
/** About 400 MB of positions, channels and labels. */
const MOST_POINTS = 16e6;
/** Neighbours of larger recordings are not fetched before somebody wants them. */
const LIGHT = 1e6;

/** @param {Ref} ref */
export function keyOf(ref) {
  return JSON.stringify([ref.run, ref.split, ref.iteration, ref.uid]);
}

export class Recordings {
  constructor() {
    /** @type {Map<string, Entry>} The longest unused first. */
    this.entries = new Map();
    /** What is wanted next, as of the last time. @type {Ref[]} */
    this.next = [];
  }

  /**
   * The recording of an episode. Whatever else is on its way is dropped: it is out of date.
   *
   * @param {Ref} ref
   * @returns {Promise<Recording>} Rejected with an AbortError once another one is wanted.
   */
  get(ref) {
    const key = keyOf(ref);
    for (const [other, { abort, points }] of this.entries) {
      if (other === key || points !== null) continue;
      this.entries.delete(other);
      abort.abort();
    }
    return this.#entry(ref).promise;
  }

  /**
   * Fetches what will be wanted next, one after the other.
   *
   * @param {Ref[]} refs
   * @param {Recording} beside The one that is looked at: tells how large they will be.
   */
  async prefetch(refs, beside) {
    this.next = pointsOf(beside) > LIGHT ? [] : refs;
    for (const ref of this.next) {
      if (this.next !== refs) return;
      try {
        await this.#entry(ref).promise;
      } catch {
        return; // Dropped; or it fails again, and is told, when somebody looks at it.
      }
    }
  }

  /**
   * @param {Ref} ref
   * @returns {Entry}
   */
  #entry(ref) {
    const key = keyOf(ref);
    const old = this.entries.get(key);
    if (old) {
      this.entries.delete(key);
      this.entries.set(key, old);
      return old;
    }
    const abort = new AbortController();
    /** @type {Entry} */
    const entry = { promise: fetchRecording(ref, abort.signal), abort, points: null };
    this.entries.set(key, entry);
    entry.promise.then(
      (recording) => {
        entry.points = pointsOf(recording);
        this.#forget();
      },
      () => {
        if (this.entries.get(key) === entry) this.entries.delete(key);
      },
    );
    return entry;
  }

  #forget() {
    let points = 0;
    for (const entry of this.entries.values()) points += entry.points ?? 0;
    for (const [key, entry] of this.entries) {
      if (this.entries.size <= MOST && points <= MOST_POINTS) return;
      if (entry.points === null || this.entries.size === 1) continue;
      points -= entry.points;
      this.entries.delete(key);
    }
  }
}

/** @param {Recording} recording */
function pointsOf(recording) {
  return recording.entities.reduce((sum, entity) => sum + entity.steps.length, 0);
}

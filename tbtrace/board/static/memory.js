/**
 * What must last while one run is looked at, so that its episodes can be compared: who has which colour, which
 * states there are, how far values reach.
 *
 * As in the pictures (tbtrace/views/context.py): the order of first sight gives groups and states their colours,
 * nothing shrinks, and what comes after 4,096 others has a colour that depends on its name alone. The pictures see all
 * episodes of a run in turn and this page only those that are opened, so the two agree where episodes hold the same.
 * Entities come and go more often: their colours hang on their names (slots.js).
 */

import { hashOf } from "./colours.js";
import { NO_STATE } from "./decode.js";
import { Slots } from "./slots.js";

/** @typedef {import("./decode.js").Recording} Recording */

const MOST_NAMES = 4096;

export class Memory {
  #slots = new Slots();
  /** @type {Map<string, number>} */ #groups = new Map();
  /** @type {Map<string, Map<string, number>>} */ #states = new Map();
  /** @type {Map<string, [number, number]>} */ #ranges = new Map();
  /** The steps of the longest episode so far. */
  longest = 1;

  /** @param {Recording} recording */
  observe(recording) {
    this.longest = Math.max(this.longest, recording.length, recording.lastStep);
    this.#slots.see(recording.entities);
    for (const entity of recording.entities) {
      see(this.#groups, entity.group);
      for (const [channel, values] of entity.channels) this.#widen(channel, values);
      for (const [channel, { states, codes }] of entity.labels) {
        const known = this.#states.get(channel) ?? new Map();
        this.#states.set(channel, known);
        // In the order in which they come, which need not be that of the list.
        const left = new Set(states.keys());
        for (let i = 0; i < codes.length && left.size; i++) {
          if (codes[i] !== NO_STATE && left.delete(codes[i])) see(known, states[codes[i]]);
        }
      }
    }
  }

  /**
   * Returns the number that gives an entity its colour.
   *
   * @param {{key: string, group: string, name: string}} entity
   */
  entity(entity) {
    return this.#slots.of(entity);
  }

  /**
   * Returns the number that gives a group its colour.
   *
   * @param {string} group
   */
  group(group) {
    return this.#groups.get(group) ?? hashOf(group);
  }

  /**
   * Returns the states of a channel and their numbers, in the order of first sight.
   *
   * @param {string} channel
   * @returns {ReadonlyMap<string, number>}
   */
  states(channel) {
    return this.#states.get(channel) ?? new Map();
  }

  /**
   * Returns the lowest and the highest finite value of a channel so far; `[0, 1]` where there was none.
   *
   * @param {string} channel
   */
  range(channel) {
    return this.#ranges.get(channel) ?? [0, 1];
  }

  /**
   * @param {string} channel
   * @param {Float32Array} values
   */
  #widen(channel, values) {
    let [low, high] = this.#ranges.get(channel) ?? [Infinity, -Infinity];
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (value < low && value > -Infinity) low = value;
      if (value > high && value < Infinity) high = value;
    }
    if (low <= high) this.#ranges.set(channel, [low, high]);
  }
}

/**
 * @param {Map<string, number>} order
 * @param {string} name
 */
function see(order, name) {
  if (!order.has(name) && order.size < MOST_NAMES) order.set(name, order.size);
}

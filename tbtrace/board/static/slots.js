/**
 * Which of twelve colours an entity has: the same one in every iteration, and after the page is loaded again.
 *
 * The pictures give colours by first sight, over all episodes of the run in turn (tbtrace/views/colours.py). This page
 * sees an episode here and there, and retention may have deleted the first ones, so that order cannot be known. What
 * an entity always brings along is its name: `a7` takes the seventh colour, also where `a1` to `a6` are not there.
 * Names are counted from 1, or from 0 in a group that has one with 0. So a1, a2, a3... and agent_0, agent_1... have
 * the colours of the pictures.
 * Names without a number take theirs in the order of the archive, which is the same for entities that are always
 * there, and there again that of the pictures. As in those, the first twelve entities have twelve colours: who finds
 * its own taken gets the next free one. Only there does it matter which episode was opened first. (A hash of names
 * alone would never depend on that, but would give two of three entities one colour in a quarter of all runs.)
 */

import { PALETTE, hashOf } from "./colours.js";

/** @typedef {{key: string, group: string, name: string}} Named */

const COLOURS = PALETTE.light.length;
const MOST_NAMES = 4096;

export class Slots {
  /** @type {Map<string, number>} */ #taken = new Map();
  /** From what number on each group counts. @type {Map<string, number>} */ #bases = new Map();

  /** @param {Named[]} entities Of one episode, as they are stored. */
  see(entities) {
    const unknown = entities.filter(({ key }) => !this.#taken.has(key));
    const found = unknown.map((entity) => ({ entity, number: numberIn(entity.name) }));
    for (const { entity: { group }, number } of found) {
      if (number === null) continue;
      if (number === 0) this.#bases.set(group, 0);
      else if (!this.#bases.has(group)) this.#bases.set(group, 1);
    }
    const wishes = found.map(({ entity, number }) => ({ ...entity, wanted: number === null ? null : Math.max(0, number - (this.#bases.get(entity.group) ?? 0)) }));
    // Those of the first round choose first: a13 does not take the colour of a1.
    const later = (/** @type {number|null} */ wanted) => Number(wanted !== null && wanted >= COLOURS);
    for (const { key, wanted } of wishes.sort((one, other) => later(one.wanted) - later(other.wanted))) this.#take(key, wanted);
  }

  /**
   * Returns the number of the entity's colour; what came after 4,096 others has one that depends on its name alone.
   *
   * @param {Named} entity
   */
  of({ key, group, name }) {
    return this.#taken.get(key) ?? hashOf(`${group}\0${name}`) % COLOURS;
  }

  /**
   * @param {string} key
   * @param {number|null} wanted
   */
  #take(key, wanted) {
    if (this.#taken.size >= MOST_NAMES) return;
    const used = this.#taken.size < COLOURS ? new Set(this.#taken.values()) : null;
    let slot = (wanted ?? this.#taken.size) % COLOURS;
    while (used?.has(slot)) slot = (slot + 1) % COLOURS;
    this.#taken.set(key, slot);
  }
}

/**
 * Returns the last number in a name: 7 for `lane 2, car 07`; null where there is none.
 *
 * @param {string} name
 */
function numberIn(name) {
  const digits = name.match(/[0-9]+/g)?.at(-1);
  return digits === undefined ? null : Number(digits.slice(-9));
}

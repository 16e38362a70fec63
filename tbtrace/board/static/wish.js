/** What is asked of the stage: how to show an episode. */

/** @typedef {{step: number, trail: import("./trails.js").Trail, colour: import("./tint.js").Colouring, plane: import("./trails.js").Plane, groups: ReadonlySet<string>|null, text: string, selected: ReadonlySet<string>, dark: boolean, equal: boolean}} Wish
 * `groups`: those that are hidden. `equal`: one scale for both axes even where that leaves a thin strip. */

/** @type {Readonly<Wish>} */
export const START = {
  step: 0,
  trail: Infinity,
  colour: { by: "entity" },
  plane: "xy",
  groups: null,
  text: "",
  selected: new Set(),
  dark: false,
  equal: false,
};

/**
 * Tells whether two wishes look the same but for the step, whatever objects they are made of.
 *
 * @param {Wish} one
 * @param {Wish} other
 */
export function alike(one, other) {
  const plain = (/** @type {Wish} */ wish) => [wish.trail, wish.colour.by, wish.colour.name, wish.plane, wish.text, wish.dark, wish.equal];
  const values = plain(other);
  return (
    plain(one).every((value, i) => value === values[i]) &&
    equalSets(one.groups ?? new Set(), other.groups ?? new Set()) &&
    equalSets(one.selected, other.selected)
  );
}

/**
 * @param {ReadonlySet<string>} one
 * @param {ReadonlySet<string>} other
 */
function equalSets(one, other) {
  return one === other || (one.size === other.size && [...one].every((value) => other.has(value)));
}

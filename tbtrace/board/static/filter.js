/** Which entities are shown: those of groups that are not hidden, whose name holds the text. */

/**
 * @template {{group: string, name: string}} Named
 * @param {Named[]} entities
 * @param {ReadonlySet<string>|null} hidden Groups; null hides none.
 * @param {string} text Substring of the name or of `group/name`, upper and lower case alike; spaces around it do
 *     not count, and an empty one fits all.
 * @returns {Named[]} In the same order.
 */
export function shown(entities, hidden, text) {
  const wanted = text.trim().toLowerCase();
  return entities.filter(
    ({ group, name }) => !hidden?.has(group) && `${group}/${name}`.toLowerCase().includes(wanted),
  );
}

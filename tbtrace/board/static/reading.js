/** What is known of the point below the cursor, for people to read. */

import { format } from "./scales.js";
import { clean } from "./text.js";

/** @typedef {{entity: import("./decode.js").Entity, step: number, x: number, y: number, z?: number, values: [string, string][], clientX: number, clientY: number}} Hover
 * `x`, `y`, `z` are the point's own, in data units, whatever plane is seen. */

const MOST_VALUES = 40;

/**
 * @param {import("./paint.js").Spot} at
 * @param {import("./decode.js").Recording} recording
 * @param {{clientX: number, clientY: number}} pointer
 * @returns {Hover}
 */
export function hoverOf({ track: { entity }, row }, { origin }, { clientX, clientY }) {
  const { points, dims, steps, channels, labels } = entity;
  const [x, y] = [0, 1].map((column) => origin[column] + points[row * dims + column]);
  /** @type {[string, string][]} */
  const values = [];
  for (const [name, numbers] of channels) values.push([clean(name), format(numbers[row])]);
  for (const [name, { states, codes }] of labels) values.push([clean(name), clean(states[codes[row]] ?? "none")]);
  return {
    entity,
    step: steps[row],
    x,
    y,
    ...(dims > 2 ? { z: origin[2] + points[row * dims + 2] } : {}),
    values: values.slice(0, MOST_VALUES),
    clientX,
    clientY,
  };
}

/**
 * Which part of a way is seen at a step.
 *
 * A track is an entity seen in one plane: two of its columns, and the runs of points without a gap.
 */

/** @typedef {import("./decode.js").Entity} Entity */
/** @typedef {import("./decode.js").Recording} Recording */
/** @typedef {"xy"|"xz"|"yz"} Plane */
/** @typedef {{entity: Entity, index: number, group: string, name: string, a: number, b: number, runs: Int32Array}} Track
 * `index`: among the recording's entities. `a`, `b`: columns to the right and upwards. `runs`: pairs of the first
 * row and the one after the last. */
/** @typedef {{from: number, to: number}} Span Steps, both included. */
/** @typedef {number|"all"} Trail Steps; Infinity is the whole way so far, "all" the whole episode. */

/** @type {Record<Plane, [number, number]>} */
export const COLUMNS = { xy: [0, 1], xz: [0, 2], yz: [1, 2] };

/**
 * Returns the entities that can be seen in a plane: with such columns, and at least one whole point.
 *
 * @param {Recording} recording
 * @param {Plane} plane
 * @returns {Track[]}
 */
export function tracks(recording, plane) {
  const [a, b] = COLUMNS[plane];
  return recording.entities.flatMap((entity, index) => {
    if (entity.dims <= b) return [];
    const runs = runsOf(entity.points, entity.dims);
    return runs.length ? [{ entity, index, group: entity.group, name: entity.name, a, b, runs }] : [];
  });
}

/**
 * Returns where there are points without a gap: `[first row, row after the last, ...]`.
 *
 * @param {Float32Array} points Row by row; a row with anything that is not finite is a gap.
 * @param {number} dims
 */
export function runsOf(points, dims) {
  const runs = [];
  let open = false;
  for (let row = 0, at = 0; at < points.length; row++, at += dims) {
    // The sum is finite where all are: float32 values cannot overflow a double.
    const whole = Number.isFinite(points[at] + points[at + 1] + points[at + dims - 1]);
    if (whole !== open) runs.push(row);
    open = whole;
  }
  if (open) runs.push(points.length / dims);
  return Int32Array.from(runs);
}

/**
 * Returns the last row at a step or before it; -1 where the entity was not there yet.
 *
 * @param {Int32Array} steps Never descending.
 * @param {number} step
 */
export function rowAt(steps, step) {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle] <= step) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * Returns the rows of a span: the first one and the one after the last.
 *
 * @param {Int32Array} steps
 * @param {Span} span
 * @returns {[number, number]}
 */
export function rowsOf(steps, { from, to }) {
  return [rowAt(steps, from - 0.5) + 1, rowAt(steps, to) + 1];
}

/**
 * Returns the steps that are seen.
 *
 * @param {number} step
 * @param {Trail} trail
 * @returns {Span}
 */
export function spanOf(step, trail) {
  if (trail === "all") return { from: -Infinity, to: Infinity };
  return { from: step - trail, to: step };
}

/**
 * Returns where an entity is: its row at a step, or -1 where it is not there (yet, any more, or in a gap).
 *
 * @param {Track} track
 * @param {number} step
 */
export function present({ entity: { steps }, runs }, step) {
  const row = rowAt(steps, step);
  return row >= 0 && step <= steps[steps.length - 1] && inRun(runs, row) ? row : -1;
}

/**
 * @param {Int32Array} runs
 * @param {number} row
 */
function inRun(runs, row) {
  return rowAt(runs, row) % 2 === 0; // the bounds before it: an odd number of them means inside
}

/**
 * Returns what the points of tracks span, absolute; null without tracks.
 *
 * @param {Track[]} all
 * @param {number[]} origin
 * @returns {import("./camera.js").Limits|null}
 */
export function extentOf(all, origin) {
  let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const { entity, a, b, runs } of all) {
    const { points, dims } = entity;
    for (let k = 0; k < runs.length; k += 2) {
      for (let at = runs[k] * dims; at < runs[k + 1] * dims; at += dims) {
        const x = points[at + a];
        const y = points[at + b];
        if (x < x0) x0 = x;
        if (x > x1) x1 = x;
        if (y < y0) y0 = y;
        if (y > y1) y1 = y;
      }
    }
  }
  if (!all.length) return null;
  const [dx, dy] = [origin[all[0].a], origin[all[0].b]];
  return [x0 + dx, x1 + dx, y0 + dy, y1 + dy];
}

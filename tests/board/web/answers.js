/** Answers of the server, made by hand, and small tracks. */

import { tracks } from "../../../tbtrace/board/static/trails.js";
import { decode } from "../../../tbtrace/board/static/decode.js";

/** @typedef {{group?: string, name?: string, dims?: number, steps?: number[]|number, points: number[], channels?: Record<string, number[]>, labels?: Record<string, {states: string[], codes: number[]}>}} Said */

/**
 * @param {Said[]} entities
 * @param {Record<string, unknown>} [more] Of the header.
 * @param {(header: Record<string, any>) => void} [spoil] Changes the header before it is written.
 * @returns {ArrayBuffer}
 */
export function answer(entities, more = {}, spoil = () => {}) {
  /** @type {[number, Int32Array|Float32Array|Uint16Array][]} */
  const arrays = [];
  let size = 0;
  const put = (/** @type {Int32Array|Float32Array|Uint16Array} */ values) => {
    arrays.push([size, values]);
    size += Math.ceil(values.byteLength / 8) * 8;
    return [arrays[arrays.length - 1][0], values.length];
  };
  const header = {
    run: "r", split: "train", iteration: 3, uid: "u", return: null, length: 9, envSteps: 90, metrics: { speed: 1 },
    origin: [0, 0, 0], scene: null, ...more,
    entities: entities.map(({ group = "g", name = "e", dims = 2, steps = 0, points, channels = {}, labels = {} }) => ({
      group, name, dims, count: points.length / dims,
      steps: typeof steps === "number" ? { first: steps } : put(Int32Array.from(steps)),
      points: put(Float32Array.from(points)),
      channels: Object.fromEntries(Object.entries(channels).map(([key, values]) => [key, put(Float32Array.from(values))])),
      labels: Object.fromEntries(Object.entries(labels).map(([key, { states, codes }]) => [key, { states, codes: put(Uint16Array.from(codes)) }])),
    })),
  };
  spoil(header);
  const text = new TextEncoder().encode(JSON.stringify(header));
  const body = Math.ceil((4 + text.length) / 8) * 8;
  const bytes = new Uint8Array(body + size).fill(32, 4, body);
  new DataView(bytes.buffer).setUint32(0, body - 4, true);
  bytes.set(text, 4);
  for (const [offset, values] of arrays) bytes.set(new Uint8Array(values.buffer), body + offset);
  return bytes.buffer;
}

/** @param {Said[]} entities */
export function recordingOf(...entities) {
  return decode(answer(entities));
}

/** @param {Said[]} entities */
export function tracksOf(...entities) {
  return tracks(recordingOf(...entities), "xy");
}

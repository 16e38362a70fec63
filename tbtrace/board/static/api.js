/**
 * Asks the server. Every failure becomes an `ApiError` with a sentence for the user: the server's
 * own where it said one.
 */

import { decode } from "./decode.js";

/** @typedef {import("./decode.js").Recording} Recording */
/** @typedef {{first: number, last: number, count: number}} Span */
/** @typedef {{run: string, version: string, splits: Object<string, Span>}} Run */
/**
 * @typedef {{complete: boolean, limits: string, logdir: string, runs: Run[],
 *   staging: {run: string, storage: string}[]}} Listing
 */
/**
 * @typedef {{version: string, unchanged: false, thinned: number, unreadable: string[],
 *   iteration: number[], split: number[], uid: string[], return: (number|null)[], length: number[],
 *   envSteps: number[], entities: number[]}} Columns
 */
/** @typedef {{run: string, split: string, iteration: number, uid: string}} Ref One episode. */

export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {number} status 0: no answer at all.
   */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** The server's folder, wherever TensorBoard is mounted (`--path_prefix`). */
const BASE = new URL("../", import.meta.url);

/**
 * @param {string} path
 * @param {Object<string, string|number>} query
 */
function address(path, query) {
  const url = new URL(path, BASE);
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, String(value));
  return url;
}

/**
 * @param {URL} url
 * @param {AbortSignal|null} [signal]
 * @returns {Promise<Response>}
 */
async function ask(url, signal = null) {
  /** @type {Response} */
  let response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError("TensorBoard does not answer. Is it still running?", 0);
  }
  if (response.ok) return response;
  throw new ApiError(await sentence(response), response.status);
}

/** @param {Response} response */
async function sentence(response) {
  try {
    const { error } = await response.json();
    if (typeof error === "string") return error;
  } catch {
    // Not ours, but TensorBoard's or a proxy's page of an error.
  }
  return `The server answered ${response.status} ${response.statusText}.`;
}

/** @returns {Promise<Listing>} */
export async function fetchRuns() {
  return (await ask(address("runs", {}))).json();
}

/**
 * @param {string} run
 * @param {string} known The version at hand, or nothing.
 * @param {AbortSignal} signal
 * @returns {Promise<Columns|{version: string, unchanged: true}>}
 */
export async function fetchEpisodes(run, known, signal) {
  return (await ask(address("episodes", known ? { run, known } : { run }), signal)).json();
}

/**
 * @param {Ref} ref
 * @param {AbortSignal} signal
 * @returns {Promise<Recording>}
 */
export async function fetchRecording(ref, signal) {
  const response = await ask(address("episode", { ...ref }), signal);
  return decode(await response.arrayBuffer());
}

/**
 * @param {string} run
 * @param {string} key
 * @returns {Promise<HTMLImageElement|null>} Null when it cannot be had: paths show without it.
 */
export async function fetchBackground(run, key) {
  const image = new Image();
  image.src = address("background", { run, key }).href;
  try {
    await image.decode();
    return image;
  } catch {
    return null;
  }
}

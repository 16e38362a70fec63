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

/** Seconds for what the server knows already, and for what it has to read and send. */
const QUICK = 15;
const SLOW = 120;

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
 * @template T
 * @param {URL} url
 * @param {number} seconds To wait for the whole answer at most.
 * @param {(response: Response) => Promise<T>} read
 * @param {AbortSignal} [signal]
 * @returns {Promise<T>}
 */
async function ask(url, seconds, read, signal) {
  const late = AbortSignal.timeout(seconds * 1000);
  try {
    const response = await fetch(url, { signal: signal ? AbortSignal.any([signal, late]) : late });
    if (!response.ok) throw new ApiError(await sentence(response), response.status);
    return await read(response);
  } catch (error) {
    if (signal?.aborted || error instanceof ApiError) throw error;
    if (late.aborted) throw new ApiError(`TensorBoard has not answered for ${seconds} seconds. Is it busy?`, 0);
    // A page in place of JSON: a proxy that wants a log-in, say.
    if (error instanceof SyntaxError) throw new ApiError("Something else answers in TensorBoard's place. Reload the page.", 0);
    throw new ApiError("TensorBoard does not answer. Is it still running?", 0);
  }
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
  return ask(address("runs", {}), QUICK, (response) => response.json());
}

/**
 * @param {string} run
 * @param {string} known The version at hand, or nothing.
 * @param {AbortSignal} signal
 * @returns {Promise<Columns|{version: string, unchanged: true}>}
 */
export async function fetchEpisodes(run, known, signal) {
  return ask(address("episodes", known ? { run, known } : { run }), SLOW, (response) => response.json(), signal);
}

/**
 * @param {Ref} ref
 * @param {AbortSignal} signal
 * @returns {Promise<Recording>}
 */
export async function fetchRecording(ref, signal) {
  return decode(await ask(address("episode", { ...ref }), SLOW, (response) => response.arrayBuffer(), signal));
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

/**
 * One episode as the server sends it: a JSON header, then numbers that are used where they lie.
 *
 * Arrays are views of the answer, not copies. What does not hold what it promises is refused here,
 * so that nothing behind has to check again.
 */

/** @typedef {{extent: number[]|null, units: string|null, axes: string[], places: Object<string, number[]>, background: string}} Scene */
/** @typedef {{states: string[], codes: Uint16Array}} Labels */
/** @typedef {{group: string, name: string, key: string, dims: number, steps: Int32Array, points: Float32Array, channels: Map<string, Float32Array>, labels: Map<string, Labels>}} Entity */
/** @typedef {{run: string, split: string, iteration: number, uid: string, return: number|null, length: number, envSteps: number, metrics: Object<string, number|null>, origin: number[], scene: Scene|null, entities: Entity[], firstStep: number, lastStep: number}} Recording */

/** The code of a point that has no state. */
export const NO_STATE = 65535;

/**
 * Reads an answer of `episode`.
 *
 * @param {ArrayBuffer} buffer
 * @returns {Recording} Steps never descend; every array of an entity has a value for each step.
 * @throws {Error} The data is not as promised; the message is one plain sentence.
 */
export function decode(buffer) {
  const { header, body } = split(buffer);
  const read = (/** @type {unknown} */ said, /** @type {ArrayKind} */ kind, /** @type {number} */ count) =>
    array(buffer, body, said, kind, count);
  const entities = list(header.entities, "entities").map((one) => entity(object(one, "an entity"), read));
  let firstStep = Infinity;
  let lastStep = -Infinity;
  for (const { steps } of entities) {
    if (!steps.length) continue;
    firstStep = Math.min(firstStep, steps[0]);
    lastStep = Math.max(lastStep, steps[steps.length - 1]);
  }
  const origin = list(header.origin, "origin").map((value) => finite(value, "origin"));
  if (origin.length !== 3) fail("origin has not three numbers");
  return {
    run: string(header.run, "run"),
    split: string(header.split, "split"),
    iteration: finite(header.iteration, "iteration"),
    uid: string(header.uid, "uid"),
    return: header.return === null ? null : finite(header.return, "return"),
    length: finite(header.length, "length"),
    envSteps: finite(header.envSteps, "envSteps"),
    metrics: /** @type {Object<string, number|null>} */ (object(header.metrics, "metrics")),
    origin,
    scene: header.scene === null ? null : scene(object(header.scene, "scene")),
    entities,
    firstStep: firstStep <= lastStep ? firstStep : 0,
    lastStep: firstStep <= lastStep ? lastStep : 0,
  };
}

/** @typedef {Int32ArrayConstructor|Float32ArrayConstructor|Uint16ArrayConstructor} ArrayKind */
/** @typedef {(said: unknown, kind: ArrayKind, count: number) => Int32Array|Float32Array|Uint16Array} Reader */

/**
 * @param {ArrayBuffer} buffer
 * @returns {{header: Record<string, unknown>, body: number}} `body` is where the arrays begin.
 */
function split(buffer) {
  if (buffer.byteLength < 4) fail("it is empty");
  const size = new DataView(buffer).getUint32(0, true);
  const body = 4 + size;
  if (body > buffer.byteLength || body % 8) fail("its header has a wrong length");
  /** @type {unknown} */
  let header;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(buffer, 4, size)));
  } catch {
    fail("its header is no JSON");
  }
  return { header: object(header, "the header"), body };
}

/**
 * @param {Record<string, unknown>} said
 * @param {Reader} read
 * @returns {Entity}
 */
function entity(said, read) {
  const group = string(said.group, "a group");
  const name = string(said.name, "a name");
  const dims = finite(said.dims, "dims");
  const count = finite(said.count, "count");
  if (dims !== 2 && dims !== 3) fail("an entity has neither two nor three dimensions");
  if (!Number.isInteger(count) || count < 0) fail("an entity has no number of points");
  /** @type {Map<string, Float32Array>} */
  const channels = new Map();
  for (const [channel, values] of Object.entries(object(said.channels, "channels"))) {
    channels.set(channel, /** @type {Float32Array} */ (read(values, Float32Array, count)));
  }
  /** @type {Map<string, Labels>} */
  const labels = new Map();
  for (const [channel, one] of Object.entries(object(said.labels, "labels"))) {
    const { states, codes } = object(one, "a label");
    labels.set(channel, {
      states: list(states, "states").map((state) => string(state, "a state")),
      codes: /** @type {Uint16Array} */ (read(codes, Uint16Array, count)),
    });
  }
  return {
    group,
    name,
    key: JSON.stringify([group, name]),
    dims,
    steps: stepsOf(said.steps, read, count),
    points: /** @type {Float32Array} */ (read(said.points, Float32Array, count * dims)),
    channels,
    labels,
  };
}

/**
 * @param {unknown} said `[offset, count]`, or `{first}` of steps that follow each other.
 * @param {Reader} read
 * @param {number} count
 */
function stepsOf(said, read, count) {
  if (!Array.isArray(said)) {
    const first = finite(object(said, "steps").first, "the first step");
    // A length that no point backs would let a short answer ask for any amount of memory.
    if (count > 4_000_000) fail("an entity has more points than the server sends");
    return Int32Array.from({ length: count }, (_, i) => first + i);
  }
  const steps = /** @type {Int32Array} */ (read(said, Int32Array, count));
  for (let i = 1; i < count; i++) if (steps[i] < steps[i - 1]) fail("its steps go back");
  return steps;
}

/**
 * @param {ArrayBuffer} buffer
 * @param {number} body
 * @param {unknown} said
 * @param {ArrayKind} kind
 * @param {number} count
 */
function array(buffer, body, said, kind, count) {
  const [offset, length] = list(said, "an array").map((value) => finite(value, "an array's place"));
  const start = body + offset;
  if (length !== count) fail("an array has another length than its entity");
  if (!Number.isInteger(offset) || offset < 0 || start % kind.BYTES_PER_ELEMENT) fail("an array is misplaced");
  if (start + length * kind.BYTES_PER_ELEMENT > buffer.byteLength) fail("it ends too early");
  return new kind(buffer, start, length);
}

/**
 * @param {Record<string, unknown>} said
 * @returns {Scene}
 */
function scene(said) {
  const extent = said.extent === null ? null : list(said.extent, "extent").map((v) => finite(v, "extent"));
  if (extent && (extent.length !== 4 || extent[0] === extent[1] || extent[2] === extent[3])) {
    fail("the scene's extent is none");
  }
  /** @type {Object<string, number[]>} */
  const places = Object.create(null); // a place may be called __proto__
  for (const [text, place] of Object.entries(object(said.places, "places"))) {
    places[text] = list(place, "a place").map((value) => finite(value, "a place"));
    if (places[text].length !== 2) fail("a place has not two coordinates");
  }
  return {
    extent,
    units: said.units === null ? null : string(said.units, "units"),
    axes: list(said.axes, "axes").map((axis) => string(axis, "an axis")),
    places,
    background: string(said.background, "background"),
  };
}

/**
 * @param {unknown} value
 * @param {string} what
 */
function object(value, what) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) fail(`${what} is no object`);
  return /** @type {Record<string, unknown>} */ (value);
}

/**
 * @param {unknown} value
 * @param {string} what
 * @returns {unknown[]}
 */
function list(value, what) {
  if (!Array.isArray(value)) fail(`${what} is no list`);
  return /** @type {unknown[]} */ (value);
}

/**
 * @param {unknown} value
 * @param {string} what
 */
function string(value, what) {
  if (typeof value !== "string") fail(`${what} is no text`);
  return /** @type {string} */ (value);
}

/**
 * @param {unknown} value
 * @param {string} what
 */
function finite(value, what) {
  if (typeof value !== "number" || !Number.isFinite(value)) fail(`${what} is no number`);
  return /** @type {number} */ (value);
}

/**
 * @param {string} why
 * @returns {never}
 */
function fail(why) {
  throw new Error(`This episode cannot be read: ${why}. Reload the page; if it stays, TensorBoard and tbtrace may differ in version.`);
}

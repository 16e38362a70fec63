/**
 * Round numbers: where grid lines are and what is written beside them, as in the pictures (tbtrace/draw/scale.py).
 */

const MINUS = "\u2212";

/**
 * Returns the smallest of 1, 2, 2.5, 5 times a power of ten that is at least `least`.
 *
 * @param {number} least More than 0.
 */
export function nice(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 2.5, 5].find((k) => k * power >= least * (1 - 1e-9)) ?? 10) * power;
}

/**
 * Returns about `count` round values between two values in any order, two where it can.
 *
 * Where coordinates are large beside what is seen, the labels leave out a common part, which the title then
 * names: `x − 500000`.
 *
 * @param {number} from One end of the axis.
 * @param {number} to The other end; not equal.
 * @param {number} count How many there is room for, at least 1.
 * @param {string} name Of the axis.
 * @returns {{values: number[], labels: string[], title: string}} `values` ascend.
 */
export function ticks(from, to, count, name) {
  const low = Math.min(from, to);
  const high = Math.max(from, to);
  const coarsest = nice((high - low) / count);
  let [step, first, last] = rounds(low, high, coarsest);
  if (first >= last) [step, first, last] = rounds(low, high, nice(coarsest / 2)); // one alone tells no scale
  const values = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step);
  if (!values.length) values.push(low);
  let title = name;
  let origin = 0;
  let largest = Math.max(...values.map(Math.abs));
  if (largest > (largest >= 1e4 ? 20 : 1e3) * (high - low)) {
    const coarse = 10 ** Math.floor(Math.log10(high - low));
    origin = Math.floor(values[0] / coarse) * coarse;
    // Fifteen digits are what a number holds.
    title = `${name} ${origin > 0 ? MINUS : "+"} ${Number(Math.abs(origin).toPrecision(15))}`;
    largest = Math.max(...values.map((value) => Math.abs(value - origin)));
  }
  let power = Math.floor(Math.log10(Math.max(largest, step)) + 1e-9);
  power = power >= 5 || power <= -3 ? 3 * Math.floor(power / 3) : 0;
  if (power) title = `${origin ? `(${title})` : title} / 1e${power}`;
  const unit = 10 ** power;
  let decimals = Math.max(0, -Math.floor(Math.log10(step / unit) + 1e-9));
  const shown = (step / unit) * 10 ** decimals;
  if (Math.abs(shown - Math.round(shown)) > 1e-6) decimals += 1;
  const labels = values.map((value) => signed(((value - origin) / unit).toFixed(Math.min(decimals, 20))));
  return { values, labels, title };
}

/**
 * Returns the step, and of which multiples of it the first and the last are between `low` and `high`.
 *
 * @param {number} low
 * @param {number} high
 * @param {number} step
 * @returns {[number, number, number]}
 */
function rounds(low, high, step) {
  return [step, Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)];
}

/**
 * Returns a number for people: up to `digits` digits that count, a true minus, no trailing zeros.
 *
 * @param {number} value
 * @param {number} [digits]
 */
export function format(value, digits = 5) {
  if (Number.isNaN(value)) return "none";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : `${MINUS}∞`;
  const size = Math.abs(value);
  if (size && (size >= 1e15 || size < 1e-4)) {
    return signed(value.toExponential(digits - 1).replace(/\.?0+e\+?/, "e"));
  }
  // Digits before the point are all written: 5000001.5 is a place, not 5e6.
  const whole = size >= 1 ? Math.floor(Math.log10(size)) + 1 : 0;
  return signed(String(Number(value.toPrecision(Math.max(digits, whole)))));
}

/** @param {string} text */
function signed(text) {
  return Number(text) === 0 ? text.replace(/^-/, "") : text.replace(/^-/, MINUS);
}

/**
 * Returns where a time axis ends: a round number of steps.
 *
 * @param {number} longest At least 1.
 */
export function horizon(longest) {
  let step = 10 ** Math.max(0, Math.ceil(Math.log10(longest)) - 2);
  step *= longest > 50 * step ? 5 : longest > 20 * step ? 2 : 1;
  return Math.ceil(longest / step) * step;
}

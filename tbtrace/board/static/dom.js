/**
 * Makes elements. Names of runs, entities and groups are data: they arrive here as text nodes and
 * attribute values, and nothing in the dashboard ever parses HTML.
 */

import { format } from "./scales.js";

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Object<string, string|number|boolean|((event: any) => void)>} [attributes] Functions are
 *   listeners of the event of that name; `true` is an attribute without a value, `false` none.
 * @param {...(Node|string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false) node.setAttribute(name, String(value));
  }
  node.append(...children);
  return node;
}

/**
 * A text that fits on a line: what is longer loses its middle, as ends tell names apart.
 *
 * @param {string} text
 * @param {number} [most]
 */
export function clip(text, most = 120) {
  if (text.length <= most) return text;
  const half = Math.floor((most - 1) / 2);
  return `${text.slice(0, half)}…${text.slice(-half)}`;
}

/**
 * Sets the options of a select, only where they differ: an open list would close otherwise.
 *
 * @param {HTMLSelectElement} select
 * @param {{value: string, label: string, group?: string}[]} options
 * @param {string} value
 */
export function choices(select, options, value) {
  const wanted = JSON.stringify(options);
  if (select.dataset.options !== wanted) {
    select.dataset.options = wanted;
    /** @type {Map<string, HTMLOptGroupElement>} */
    const groups = new Map();
    select.replaceChildren();
    for (const { value: own, label, group } of options) {
      const option = el("option", { value: own }, clip(label, 80));
      if (group === undefined) select.append(option);
      else {
        if (!groups.has(group)) groups.set(group, el("optgroup", { label: clip(group, 80) }));
        const parent = /** @type {HTMLOptGroupElement} */ (groups.get(group));
        parent.append(option);
        select.append(parent);
      }
    }
  }
  select.value = value;
}

/** How large things are: on a large window the stylesheet makes letters larger, and drawings go along. */
export function zoomOf() {
  return Number.parseFloat(window.getComputedStyle(document.documentElement).fontSize) / 13;
}

/**
 * A number of the server's, for people.
 *
 * @param {number|null} value Null: none, NaN.
 */
export function say(value) {
  return format(value ?? NaN);
}

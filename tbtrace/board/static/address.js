/**
 * The address holds the view, as `#tbtrace&p.tbtrace.run=...&p.tbtrace.iteration=7`, TensorBoard's
 * own spelling for plugins: its router keeps such keys through reloads and other tabs. They are
 * written with `replaceState`, so that the back button is not flooded and the router not woken.
 */

import { alone, host, onHost } from "./host.js";
import { viewFromTexts, viewToTexts } from "./view.js";

/** @typedef {import("./view.js").View} View */

const PLUGIN = "tbtrace";
const PREFIX = `p.${PLUGIN}.`;
/** Browsers refuse more than 100 changes of the address in 30 seconds (Safari) and ignore the rest. */
const PAUSE = 400;
/** Servers and chats cut off longer links; what is selected is left out first. */
const LONGEST = 30000;

/**
 * @param {string} hash With or without "#".
 * @returns {Map<string, string>} Our keys, without the prefix.
 */
export function textsOf(hash) {
  const texts = new Map();
  for (const part of hash.replace(/^#/, "").split("&")) {
    if (!part.startsWith(PREFIX)) continue;
    const [key, value = ""] = part.slice(PREFIX.length).split("=");
    try {
      texts.set(key, decodeURIComponent(value));
    } catch {
      // A link that was cut within a %XX: the rest of it still counts.
    }
  }
  return texts;
}

/**
 * The hash with our keys exchanged; everyone else's stay, the tab first.
 *
 * @param {string} hash
 * @param {Map<string, string>} texts
 */
export function hashWith(hash, texts) {
  const others = hash.replace(/^#/, "").split("&").filter((part) => part && !part.startsWith(PREFIX));
  const own = [...texts].map(([key, text]) => `${PREFIX}${key}=${encodeURIComponent(wellFormed(text))}`);
  return `#${[...(others.length || alone ? others : [PLUGIN]), ...own].join("&")}`;
}

/**
 * A lone surrogate, which `encodeURIComponent` throws at, becomes U+FFFD.
 *
 * @param {string} text
 */
function wellFormed(text) {
  return text.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, "\uFFFD");
}

export class Address {
  /** @param {(view: View) => void} onChange Somebody else changed it: a pasted link, "back". */
  constructor(onChange) {
    this.timer = 0;
    this.written = "";
    onHost("hashchange", () => {
      const texts = textsOf(host.location.hash);
      if (!this.#ours() || JSON.stringify([...texts]) === this.written) return;
      window.clearTimeout(this.timer);
      this.timer = 0;
      this.written = JSON.stringify([...texts]);
      onChange(viewFromTexts(texts));
    });
  }

  /** @returns {View} */
  read() {
    return viewFromTexts(textsOf(host.location.hash));
  }

  /**
   * Writes the view soon; the newest one wins.
   *
   * @param {() => View} current Asked when it is time.
   */
  keep(current) {
    if (this.timer) return;
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      this.#put(current());
    }, PAUSE);
  }

  /** @param {View} view */
  #put(view) {
    if (!this.#ours()) return;
    const texts = viewToTexts(view);
    if (hashWith(host.location.hash, texts).length > LONGEST) texts.delete("selected");
    const hash = hashWith(host.location.hash, texts);
    if (hash.length > LONGEST) return;
    this.written = JSON.stringify([...texts]);
    if (hash !== host.location.hash) host.history.replaceState(host.history.state, "", hash);
  }

  /** Whether the address is that of our tab: while another one is open, it is none of our business. */
  #ours() {
    const [tab] = host.location.hash.replace(/^#/, "").split("&");
    return alone || tab === "" || tab === PLUGIN || tab.startsWith(PREFIX);
  }
}

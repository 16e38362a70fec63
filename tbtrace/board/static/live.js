/**
 * Asks again and again which runs there are: soon after something changed, more rarely while
 * nothing does or nobody answers, not at all while nobody looks.
 */

import { fetchRuns } from "./api.js";
import { onShown, shown } from "./host.js";

/** @typedef {import("./api.js").Listing} Listing */

const SOON = 3000;
const SLOW = 12000;
const GROWTH = 1.3;

export class Live {
  /**
   * @param {object} callbacks
   * @param {(listing: Listing, changed: boolean) => void} callbacks.onListing
   * @param {(error: Error) => void} callbacks.onError
   */
  constructor({ onListing, onError }) {
    this.onListing = onListing;
    this.onError = onError;
    this.pause = SOON;
    this.timer = 0;
    this.last = "";
    this.asking = false;
    // Whoever comes back to the tab sees what is new at once.
    onShown((now) => now && this.now());
  }

  /** Asks now. */
  async now() {
    if (this.asking) return;
    this.asking = true;
    window.clearTimeout(this.timer);
    try {
      const listing = await fetchRuns();
      const text = JSON.stringify(listing);
      const changed = text !== this.last;
      this.last = text;
      // While the server still scans its folder, more is to come.
      this.pause = changed || !listing.complete ? SOON : Math.min(this.pause * GROWTH, SLOW);
      this.onListing(listing, changed);
    } catch (error) {
      this.pause = this.last ? SOON : Math.min(this.pause * GROWTH, SLOW);
      this.last = "";
      this.onError(/** @type {Error} */ (error));
    }
    this.asking = false;
    this.#later();
  }

  #later() {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => (shown() ? this.now() : this.#later()), this.pause);
  }
}

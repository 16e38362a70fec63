/** Asks for the list of a run's episodes: one request at a time, the newest one wins. */

import { fetchEpisodes } from "./api.js";
import { Catalogue } from "./catalogue.js";

export class Opener {
  /**
   * @param {object} callbacks
   * @param {(catalogue: Catalogue) => void} callbacks.onCatalogue The one at hand when nothing is new.
   * @param {(error: Error) => void} callbacks.onError
   */
  constructor({ onCatalogue, onError }) {
    this.onCatalogue = onCatalogue;
    this.onError = onError;
    /** What was asked for last: no need to ask for it again, even if there was no answer. */
    this.version = "";
    /** @type {AbortController|null} */
    this.asking = null;
  }

  /**
   * Tells whether a version is neither at hand nor on its way.
   *
   * @param {string|undefined} version Of the list of runs; undefined: the run is not on it.
   */
  outdated(version) {
    return this.asking === null && version !== undefined && version !== this.version;
  }

  /**
   * @param {string} run
   * @param {Catalogue|null} known Of this run; stays at hand if there is no answer.
   * @param {string} [version] As the list of runs says.
   */
  async open(run, known, version = "") {
    this.asking?.abort();
    const asking = (this.asking = new AbortController());
    this.version = version;
    /** @type {Catalogue|null} */
    let found = null;
    /** @type {Error|null} */
    let failure = null;
    try {
      const answer = await fetchEpisodes(run, known?.version ?? "", asking.signal);
      found = answer.unchanged ? known : new Catalogue(run, answer);
    } catch (error) {
      failure = /** @type {Error} */ (error);
    }
    if (asking !== this.asking) return;
    this.asking = null;
    this.version = (found ?? known)?.version ?? version;
    if (found) this.onCatalogue(found);
    else if (failure) this.onError(failure);
  }
}

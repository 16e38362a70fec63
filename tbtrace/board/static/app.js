/**
 * Ties the page together: what the user wants (the view), what the server has (the catalogue of a
 * run, the recording of an episode), the stage that shows it and the controls around it.
 *
 * Everything goes round in one direction: a control asks for a `change` of the view, the view
 * decides which episode is needed, and once anything is known, `#refresh` tells all controls.
 */

import { Address } from "./address.js";
import { Backgrounds } from "./backgrounds.js";
import { onShown, takeKeys } from "./host.js";
import { Live } from "./live.js";
import { Opener } from "./opener.js";
import { Page } from "./page.js";
import { Recordings, keyOf } from "./recordings.js";
import { firstState } from "./state.js";
import { watchTheme } from "./theme.js";

/** @typedef {import("./view.js").View} View */
/** @typedef {import("./catalogue.js").Catalogue} Catalogue */
/** @typedef {import("./decode.js").Recording} Recording */

const SHOWN = "tbtrace-shown";

export class App {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.address = new Address((view) => this.#arrive(view));
    this.recordings = new Recordings();
    this.state = firstState(this.address.read());
    /** The episode that is shown or on its way. */
    this.wanted = "";
    /** Whether another address asked for that episode: it is seen as in a page that is opened on it. */
    this.arrived = false;
    this.backgrounds = new Backgrounds();
    this.page = new Page(root, {
      change: (changes) => this.change(changes),
      retry: () => this.#retry(),
      moved: (area) => this.#keep({ area }),
      resized: () => this.state.view.area && this.#look(),
      stepped: (step) => this.#keep({ step: step === this.state.recording?.lastStep ? null : step }),
    });
    this.opener = new Opener({
      onCatalogue: (catalogue) => this.#learn(catalogue),
      onError: (error) => this.#fail(error),
    });
    this.live = new Live({
      onListing: (listing, changed) => this.#list(listing, changed),
      onError: (error) => {
        this.state.offline = error;
        this.#refresh();
      },
    });
  }

  start() {
    watchTheme((dark) => {
      this.page.stage.update({ dark });
      this.#refresh();
    });
    onShown((shown) => (shown ? takeKeys() : this.page.player.pause()));
    takeKeys();
    // A link names its run: no need to wait for the list of all.
    if (this.state.view.run) this.#open();
    this.live.now();
  }

  /**
   * The user wants this.
   *
   * @param {Partial<View>} changes
   */
  change(changes) {
    const { view } = this.state;
    const other = changes.run !== undefined && changes.run !== view.run;
    Object.assign(view, changes);
    this.state.notice = "";
    if (other) {
      this.state.failure = null;
      Object.assign(view, { uid: "", area: null, step: null, selected: new Set() });
      this.#open();
    } else if ("area" in changes) this.#look();
    this.#choose();
    this.address.keep(() => this.state.view);
  }

  /**
   * What the stage and the player have done already.
   *
   * @param {Partial<View>} changes
   */
  #keep(changes) {
    Object.assign(this.state.view, changes);
    this.address.keep(() => this.state.view);
  }

  /** @param {View} view Of an address that somebody else has put there. */
  #arrive(view) {
    view.run ||= this.state.listing?.runs[0]?.run ?? "";
    const other = view.run !== this.state.view.run;
    this.state.view = view;
    this.state.notice = "";
    if (other) {
      this.state.failure = null;
      this.#open();
    } else {
      this.#look();
      const { step } = view;
      if (this.state.recording) this.page.seek(step ?? this.state.recording.lastStep);
      view.step = step; // of the episode that comes, which may be longer
    }
    this.#choose();
    this.arrived = this.state.busy;
  }

  /**
   * @param {import("./api.js").Listing} listing
   * @param {boolean} changed
   */
  #list(listing, changed) {
    const { view, offline, failure } = this.state;
    this.state.listing = listing;
    this.state.offline = null;
    if (!view.run && listing.runs.length) view.run = listing.runs[0].run;
    const version = listing.runs.find(({ run }) => run === view.run)?.version;
    const again = version !== undefined && offline !== null && failure !== null;
    if (again || this.opener.outdated(version)) this.#open(version);
    else if (changed || offline) this.#refresh();
  }

  /**
   * Reads the run's list of episodes, again if need be.
   *
   * @param {string} [version]
   */
  #open(version) {
    const { run } = this.state.view;
    if (this.state.catalogue?.run !== run) {
      Object.assign(this.state, { catalogue: null, stale: null, position: -1, row: -1 });
      this.#clear();
    }
    if (run) this.opener.open(run, this.state.catalogue, version);
    this.#refresh();
  }

  /** @param {Error} error Of the list of episodes. */
  #fail(error) {
    const { catalogue, listing } = this.state;
    if (catalogue) this.state.stale = error;
    // A link may name a run that the server has not found yet.
    else if (listing?.complete) this.state.failure = error;
    this.#refresh();
  }

  /** @param {Catalogue} catalogue */
  #learn(catalogue) {
    const { view } = this.state;
    Object.assign(this.state, { catalogue, failure: null, stale: null });
    const { splits } = catalogue;
    if (splits.length && !splits.includes(/** @type {any} */ (view.split))) view.split = splits[0];
    const { iteration, uid } = view;
    this.#choose();
    const stored = catalogue.columns.thinned > 1 ? "listed" : "stored (any more)";
    const gone = iteration !== null && iteration !== view.iteration && !view.follow;
    if (gone) this.state.notice = `Iteration ${iteration} is not ${stored}. This is iteration ${view.iteration}.`;
    else if (uid && uid !== view.uid) this.state.notice = `That episode is not ${stored}. This is the ${view.pick} one.`;
    if (this.state.notice) this.#refresh();
  }

  /** Works out which episode the view means, and shows it. */
  async #choose() {
    const { view, catalogue } = this.state;
    if (!catalogue) return this.#refresh();
    if (view.follow) view.iteration = null;
    const position = catalogue.position(view.split, view.iteration);
    const row = catalogue.row(view.split, position, view.pick, view.uid);
    Object.assign(this.state, { position, row });
    if (row < 0) return this.#clear();
    const ref = catalogue.ref(row);
    view.iteration = ref.iteration;
    if (ref.uid !== view.uid) view.uid = "";
    const key = keyOf(ref);
    if (key === this.wanted) return this.#refresh();
    this.wanted = key;
    this.state.failure = null;
    this.#refresh();
    try {
      const recording = await this.recordings.get(ref);
      if (key === this.wanted) this.#show(recording);
    } catch (error) {
      if (key !== this.wanted) return;
      this.state.failure = /** @type {Error} */ (error);
      this.#clear();
      // Perhaps the server is gone, or the episode: then it is known sooner.
      this.live.now();
    }
  }

  #clear() {
    this.wanted = "";
    this.state.recording = null;
    this.page.stage.show(null, null);
    this.#refresh();
  }

  /** @param {Recording} recording */
  #show(recording) {
    const { stage } = this.page;
    const { recording: before, view } = this.state;
    this.state.recording = recording;
    this.backgrounds.of(recording, (image) => {
      if (recording === this.state.recording) stage.show(recording, image);
    });
    // What fitted one episode stays as it is for the next, so that the two can be compared.
    if (before?.run !== recording.run || this.arrived) this.#look();
    else if (!view.area && !recording.scene?.extent) view.area = this.page.area;
    this.arrived = false;
    this.page.setRange(recording, view.step ?? recording.lastStep);
    this.#refresh();
    // For the browser's own timeline, and for the tests: when the picture was there.
    window.requestAnimationFrame(() => {
      performance.clearMarks(SHOWN);
      performance.mark(SHOWN, { detail: recording.iteration });
    });
    this.#prepare(recording);
  }

  #look() {
    this.page.look(this.state.view.area);
  }

  /**
   * Fetches the same choice of the iterations beside this one.
   *
   * @param {Recording} recording
   */
  #prepare(recording) {
    const { view, catalogue, position } = this.state;
    if (!catalogue) return;
    const rows = [1, -1, 2, -2].map((by) => catalogue.row(view.split, position + by, view.pick));
    this.recordings.prefetch(rows.filter((row) => row >= 0).map((row) => catalogue.ref(row)), recording);
  }

  #retry() {
    this.live.now();
    if (!this.state.catalogue && this.state.view.run) this.#open();
    else this.#choose();
  }

  #refresh() {
    const { recording } = this.state;
    this.state.busy = this.wanted !== (recording ? keyOf(recording) : "");
    this.page.update(this.state);
  }
}

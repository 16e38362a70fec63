/** What the page says in place of a picture (why there is none, and what to do), and beside one. */

import { clip, el } from "./dom.js";
import { shown } from "./filter.js";

/** @typedef {import("./state.js").State} State */
/**
 * @typedef {{title: string, lines?: string[], commands?: string[], wait?: boolean, act?: "retry"|"reveal"}} Message
 *   `wait`: it goes by itself. `act`: the button it offers.
 */

const RECIPE = [
  "config.callbacks(tbtrace.EpisodeRecorder)",
  "tune.RunConfig(callbacks=[tbtrace.TraceLoggerCallback()])",
];

/**
 * @param {State} state
 * @returns {Message|null} Null: nothing stands in the way.
 */
export function messageOf(state) {
  const { listing, offline, catalogue, failure, view } = state;
  if (!listing && !catalogue && offline) {
    return { title: "The runs cannot be listed", lines: [offline.message], act: "retry" };
  }
  if (!listing && !catalogue) return { title: "Looking for traces …", wait: true };
  if (listing && listing.runs.length === 0 && !catalogue) return nothing(listing);
  if (!catalogue && listing && !listing.runs.some(({ run }) => run === view.run)) {
    if (!listing.complete) return { title: "Looking for the run …", wait: true };
    return {
      title: "There is no such run",
      lines: [`No traces of “${clip(view.run)}” are below ${clip(listing.logdir)}. Choose another run.`],
    };
  }
  if (failure) return { title: "This cannot be shown", lines: [failure.message], act: "retry" };
  if (!catalogue) return { title: "Reading the list of episodes …", wait: true };
  if (catalogue.size === 0) {
    return {
      title: "No episode is stored yet",
      lines: ["Episodes appear here by themselves after the first iteration in which one ends."],
    };
  }
  return pictureless(state);
}

/**
 * @param {State} state
 * @returns {Message|null}
 */
function pictureless({ catalogue, row, recording, view, drawn }) {
  if (!recording || !catalogue || row < 0) return { title: "Loading the episode …", wait: true };
  const { entities } = recording;
  if (entities.length === 0) {
    return {
      title: "This episode has no traces",
      lines: [
        "Either it was not picked to travel whole (the recorder's keep= says which episodes are: the best, worst " +
          "and last of each iteration unless you say otherwise), or the environment told no positions in it.",
      ],
    };
  }
  if (shown(entities, view.hidden, view.text).length === 0) {
    return { title: "All entities are hidden", lines: ["By the groups or the filter on the left."], act: "reveal" };
  }
  if (drawn === 0 && view.plane !== "xy" && entities.some(({ dims }) => dims === 3)) {
    return { title: "Nothing is in this plane", lines: ["What is shown has no third coordinate. The plane of x and y has it."] };
  }
  if (drawn === 0) {
    return { title: "This episode has no positions", lines: ["Its entities have names, but nowhere were all coordinates numbers."] };
  }
  return null;
}

/**
 * @param {import("./api.js").Listing} listing
 * @returns {Message}
 */
function nothing({ complete, staging, logdir }) {
  if (!complete) return { title: "Looking for traces …", lines: [clip(logdir)], wait: true };
  if (staging.length) {
    const storages = [...new Set(staging.map(({ storage }) => storage))].filter(typeable);
    return {
      title: "This is Tune's staging folder",
      lines: [
        storages.length
          ? "The traces are in the storage path. Start TensorBoard there:"
          : "The traces are in the storage path (result.path). Start TensorBoard there.",
      ],
      commands: storages.slice(0, 5).map(command),
    };
  }
  return {
    title: "No traces here yet",
    lines: [
      `There is no traces/*.parquet below ${clip(logdir)}. They appear here by themselves after the first iteration ` +
        "in which an episode ends, in runs that have these two lines:",
    ],
    commands: RECIPE,
  };
}

/**
 * Whether a path can be typed into a terminal. A stranger's file names it: a control character would act there
 * even between quotes, and a text that runs backwards reads as another one.
 *
 * @param {string} folder
 */
function typeable(folder) {
  return /^([a-z][a-z0-9+.-]*:\/)?\//.test(folder) && folder.length <= 1000 && !/[\p{C}\p{Zl}\p{Zp}]/u.test(folder);
}

/** @param {string} folder */
function command(folder) {
  const plain = /^[\w./:@%+=,-]+$/.test(folder);
  return `tensorboard --logdir ${plain ? folder : `'${folder.replaceAll("'", String.raw`'\''`)}'`}`;
}

/**
 * What is to be known of what is shown.
 *
 * @param {State} state
 * @returns {string[]}
 */
export function notesOf({ listing, offline, catalogue, stale, notice, view }) {
  const notes = notice ? [notice] : [];
  if (offline && (listing || catalogue)) notes.push(`${offline.message} What was loaded can still be looked at.`);
  if (listing?.limits) notes.push(listing.limits);
  if (listing?.complete && catalogue && !listing.runs.some(({ run }) => run === view.run)) {
    notes.push("The files of this run are gone. What was loaded can still be looked at.");
  } else if (stale && !offline) {
    notes.push(`There are newer episodes, but: ${stale.message}`);
  }
  if (catalogue && catalogue.columns.thinned > 1) {
    notes.push(`The run has very many episodes: of ${catalogue.columns.thinned} iterations one is listed, and the newest.`);
  }
  notes.push(...(catalogue?.columns.unreadable ?? []));
  return notes;
}

export class Messages {
  /**
   * @param {object} acts
   * @param {() => void} acts.retry
   * @param {() => void} acts.reveal
   */
  constructor(acts) {
    this.acts = acts;
    this.node = el("div", { class: "message", role: "status" });
    this.notes = el("ul", { class: "notes", "aria-label": "Notes" });
    this.told = "";
  }

  /** @param {State} state */
  update(state) {
    const message = messageOf(state);
    const notes = notesOf(state);
    // Told once: a screen reader reads what is exchanged, even for the same.
    const told = JSON.stringify([message, notes]);
    if (told === this.told) return;
    this.told = told;
    this.notes.hidden = notes.length === 0;
    this.notes.replaceChildren(...notes.map((note) => el("li", {}, clip(note, 600))));
    this.node.hidden = message === null;
    if (message) this.#say(message);
  }

  /** @param {Message} message */
  #say({ title, lines = [], commands = [], wait = false, act }) {
    this.node.classList.toggle("wait", wait);
    this.node.replaceChildren(
      el("h2", {}, title),
      ...lines.map((line) => el("p", {}, line)),
      ...commands.map((text) => el("code", {}, text)),
      ...(act ? [el("button", { click: this.acts[act] }, act === "retry" ? "Try again" : "Show all")] : []),
    );
  }
}

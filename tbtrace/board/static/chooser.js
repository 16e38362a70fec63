/** Which episode: run, split, iteration, and one of the iteration's. */

import { choices, clip, el } from "./dom.js";
import { PICKS } from "./view.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Change} Change */

/** From so many runs on, the list can be searched. */
const MANY = 9;

export class Chooser {
  /** @param {Change} change */
  constructor(change) {
    this.change = change;
    this.run = el("select", { id: "run", change: () => change({ run: this.run.value }) });
    this.search = el("input", {
      type: "search",
      placeholder: "Find a run",
      "aria-label": "Find a run",
      input: () => this.state && this.#runs(this.state),
    });
    this.splits = el("div", { class: "toggles", role: "group", "aria-label": "Split" });
    this.slider = el("input", {
      type: "range",
      min: 0,
      "aria-label": "Iteration",
      input: () => this.#go(Number(this.slider.value)),
    });
    this.number = el("input", {
      id: "iteration",
      type: "number",
      min: 0,
      change: () => this.#typed(),
    });
    this.before = el("button", { "aria-label": "Iteration before", click: () => this.move(-1) }, "‹");
    this.after = el("button", { "aria-label": "Next iteration", click: () => this.move(1) }, "›");
    this.ends = el("span", { class: "told quiet" });
    this.follow = el("input", {
      type: "checkbox",
      change: () => change({ follow: this.follow.checked }),
    });
    this.picks = el("div", { class: "toggles", role: "group", "aria-label": "Episode" });
    this.node = el(
      "section",
      { "aria-label": "Episode" },
      el("label", { class: "title", for: "run" }, "Run"),
      this.search,
      this.run,
      this.splits,
      el(
        "div",
        { class: "line" },
        el("label", { class: "title", for: "iteration" }, "Iteration"),
        this.number,
        this.before,
        this.after,
      ),
      this.slider,
      el("div", { class: "line" }, el("label", { class: "check" }, this.follow, "Follow newest"), this.ends),
      this.picks,
    );
    /** @type {State|null} */
    this.state = null;
  }

  /** @param {State} state */
  update(state) {
    this.state = state;
    const { view, catalogue, position } = state;
    this.#runs(state);
    const splits = catalogue?.splits ?? [];
    toggles(
      this.splits,
      splits.map((split) => ({ text: split, on: split === view.split })),
      (split) => this.change({ split, uid: "" }),
    );
    const iterations = catalogue?.iterations(view.split) ?? [];
    this.slider.max = String(Math.max(iterations.length - 1, 0));
    this.slider.value = String(Math.max(position, 0));
    this.slider.disabled = this.number.disabled = iterations.length === 0;
    this.slider.setAttribute(
      "aria-valuetext",
      `iteration ${view.iteration}, ${position + 1} of ${iterations.length}`,
    );
    if (document.activeElement !== this.number || this.number.valueAsNumber !== view.iteration) {
      this.number.value = view.iteration === null ? "" : String(view.iteration);
    }
    this.ends.textContent = iterations.length ? `${iterations[0]} to ${iterations.at(-1)}` : "";
    this.before.disabled = position <= 0;
    this.after.disabled = position < 0 || position >= iterations.length - 1;
    this.follow.checked = view.follow;
    const picks = PICKS.map((pick) => ({ text: /** @type {string} */ (pick), on: !view.uid && pick === view.pick }));
    if (view.uid) picks.push({ text: "picked", on: true });
    toggles(this.picks, picks, (text) => {
      const pick = PICKS.find((name) => name === text);
      if (pick) this.change({ pick, uid: "" });
    });
  }

  /**
   * Goes on by so many iterations that have an episode of this split.
   *
   * @param {number} delta
   */
  move(delta) {
    if (this.state) this.#go(this.state.position + delta);
  }

  /** @param {number} position */
  #go(position) {
    if (!this.state?.catalogue) return;
    const { view, catalogue } = this.state;
    const iteration = catalogue.iterations(view.split)[position];
    // Whoever goes to a certain iteration does not want to be taken away from it.
    if (iteration !== undefined && iteration !== view.iteration) {
      this.change({ iteration, uid: "", follow: false });
    }
  }

  /** Goes to the iteration that was typed, or the one before where there is none; of nothing, stays. */
  #typed() {
    if (!this.state?.catalogue) return;
    const { catalogue, view } = this.state;
    const iteration = this.number.valueAsNumber;
    if (!Number.isNaN(iteration)) this.#go(catalogue.position(view.split, iteration));
    this.number.value = String(view.iteration);
  }

  /** @param {State} state */
  #runs({ listing, view }) {
    const names = (listing?.runs ?? []).map(({ run }) => run);
    this.search.hidden = names.length < MANY;
    const text = this.search.value.toLowerCase();
    const found = names.filter((name) => name === view.run || name.toLowerCase().includes(text));
    if (view.run && !names.includes(view.run)) found.unshift(view.run);
    choices(this.run, labelled(found, names), view.run);
    this.run.disabled = found.length === 0;
    this.run.title = clip(view.run, 300);
  }
}

/**
 * Runs as options, below their folders: of Tune's long paths a closed list would show the same beginning.
 *
 * @param {string[]} found
 * @param {string[]} all
 */
export function labelled(found, all) {
  const last = (/** @type {string} */ run) => run.slice(run.lastIndexOf("/") + 1);
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const run of all) counts.set(last(run), (counts.get(last(run)) ?? 0) + 1);
  return found.map((run) => {
    if (run === ".") return { value: run, label: "(this folder)" };
    const single = run.includes("/") && (counts.get(last(run)) ?? 0) <= 1;
    return single ? { value: run, label: last(run), group: run.slice(0, run.lastIndexOf("/")) } : { value: run, label: run };
  });
}

/**
 * Buttons of which one is pressed. They are not radio buttons, as these would take the arrow keys.
 *
 * @param {HTMLElement} parent
 * @param {{text: string, on: boolean}[]} wanted
 * @param {(text: string) => void} press
 */
function toggles(parent, wanted, press) {
  const texts = wanted.map(({ text }) => text).join();
  if (parent.dataset.texts !== texts) {
    parent.dataset.texts = texts;
    parent.replaceChildren(...wanted.map(({ text }) => el("button", { click: () => press(text) }, text)));
  }
  wanted.forEach(({ on }, i) => parent.children[i].setAttribute("aria-pressed", String(on)));
}

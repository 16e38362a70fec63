/** Says which episode is shown, above the stage, and what its metrics are, beside it. */

import { clip, el, say } from "./dom.js";

/** @typedef {import("./state.js").State} State */

export class Caption {
  constructor() {
    this.node = el("p", { class: "caption", "aria-live": "polite" });
    this.list = el("dl", {});
    this.metrics = el("details", {}, el("summary", {}, "Metrics of the episode"), this.list);
    /** Whose metrics are listed. @type {State["recording"]} */
    this.listed = null;
  }

  /** @param {State} state */
  update({ catalogue, row, recording, view }) {
    if (!catalogue || row < 0) this.#say("", "", "");
    else {
      const { columns } = catalogue;
      const { run, split, iteration, uid } = catalogue.ref(row);
      const rest = [
        `${split}, ${view.uid ? "picked" : view.pick} episode`,
        `return ${say(columns.return[row])}`,
        `${columns.length[row]} step${columns.length[row] === 1 ? "" : "s"}`,
      ];
      const more = `${clip(run, 300)}, uid ${clip(uid)}, ${columns.envSteps[row]} environment steps`;
      this.#say(`Iteration ${iteration}`, ` · ${rest.join(" · ")}`, more);
    }
    this.#list(recording);
  }

  /**
   * @param {string} first
   * @param {string} rest
   * @param {string} title
   */
  #say(first, rest, title) {
    this.node.title = title;
    // A screen reader reads what is exchanged, even for the same.
    if (this.node.textContent !== first + rest) this.node.replaceChildren(el("strong", {}, first), rest);
  }

  /** @param {State["recording"]} recording */
  #list(recording) {
    if (recording === this.listed) return;
    this.listed = recording;
    const metrics = Object.entries(recording?.metrics ?? {});
    this.metrics.hidden = metrics.length === 0;
    this.list.replaceChildren(
      ...metrics.flatMap(([name, value]) => [
        el("dt", { title: clip(name, 300) }, clip(name)),
        el("dd", {}, say(value)),
      ]),
    );
  }
}

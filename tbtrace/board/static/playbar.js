/** Time: play, steps, speed, the slider over the episode's steps, how long trails are. */

import { choices, el } from "./dom.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Change} Change */

const SPEEDS = [1, 2, 5, 10, 30, 60, 120, 300, 1000];
/** Steps of a trail, unless the user says otherwise. */
const USUAL = 50;

export class Playbar {
  /**
   * @param {Change} change
   * @param {{toggle: () => void, advance: (delta: number) => void, seek: (step: number) => void}} player
   */
  constructor(change, player) {
    this.play = el("button", { class: "play", click: () => player.toggle() });
    this.back = el("button", { "aria-label": "One step back", title: "One step back (,)", click: () => player.advance(-1) }, "‹");
    this.forth = el("button", { "aria-label": "One step on", title: "One step on (.)", click: () => player.advance(1) }, "›");
    this.scrub = el("input", {
      type: "range",
      class: "scrub",
      "aria-label": "Step",
      input: () => player.seek(Number(this.scrub.value)),
    });
    this.clock = el("output", { class: "clock", "aria-live": "off" });
    this.speed = el("select", { id: "speed", change: () => change({ speed: Number(this.speed.value) }) });
    this.loop = el("input", { type: "checkbox", change: () => change({ loop: this.loop.checked }) });
    this.trail = el("select", { id: "trail", change: () => change({ trail: this.#trail() }) });
    this.steps = el("input", {
      type: "number",
      min: 1,
      "aria-label": "Steps of the trail",
      change: () => change({ trail: this.#trail() }),
    });
    this.steps.value = String(USUAL);
    this.node = el(
      "div",
      { class: "playbar", role: "group", "aria-label": "Time" },
      el("div", { class: "line" }, this.back, this.play, this.forth, this.scrub, this.clock),
      el(
        "div",
        { class: "line options" },
        el("label", { for: "speed" }, "Speed"),
        this.speed,
        el("label", { class: "check" }, this.loop, "Loop"),
        el("label", { for: "trail" }, "Trail"),
        this.trail,
        this.steps,
      ),
    );
    this.last = 0;
    this.setPlaying(false);
  }

  /** @param {State} state */
  update({ view, recording }) {
    const idle = !recording?.entities.length;
    for (const control of [this.play, this.back, this.forth, this.scrub]) control.disabled = idle;
    const speeds = [...new Set([...SPEEDS, view.speed])].sort((a, b) => a - b);
    choices(this.speed, speeds.map((speed) => ({ value: `${speed}`, label: `${speed} steps/s` })), `${view.speed}`);
    this.loop.checked = view.loop;
    const some = view.trail !== "all" && Number.isFinite(view.trail);
    choices(
      this.trail,
      [
        { value: "far", label: "the way so far" },
        { value: "some", label: "the last steps:" },
        { value: "all", label: "the whole episode" },
      ],
      some ? "some" : view.trail === "all" ? "all" : "far",
    );
    this.steps.hidden = !some;
    if (some && document.activeElement !== this.steps) this.steps.value = String(view.trail);
  }

  /**
   * @param {number} first
   * @param {number} last
   */
  setRange(first, last) {
    this.last = last;
    this.scrub.min = String(first);
    this.scrub.max = String(last);
  }

  /** @param {number} step */
  setStep(step) {
    this.scrub.value = String(step);
    this.scrub.setAttribute("aria-valuetext", `step ${step} of ${this.last}`);
    this.clock.value = `${step} / ${this.last}`;
  }

  /** @param {boolean} playing */
  setPlaying(playing) {
    this.play.textContent = playing ? "Pause" : "Play";
    this.play.title = playing ? "Pause (space)" : "Play (space)";
    this.node.classList.toggle("playing", playing);
  }

  /** @returns {number|"all"} */
  #trail() {
    if (this.trail.value === "all") return "all";
    if (this.trail.value === "far") return Infinity;
    return Math.max(1, Math.round(this.steps.valueAsNumber) || USUAL);
  }
}

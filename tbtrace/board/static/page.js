/** The page: stage, player and controls, and who of them hears what. */

import { areaOf, cameraOn } from "./area.js";
import { Caption } from "./caption.js";
import { Card } from "./card.js";
import { Chooser } from "./chooser.js";
import { el } from "./dom.js";
import { Entities } from "./entities.js";
import { Help, listenToKeys } from "./keys.js";
import { viewButtons, layOut } from "./layout.js";
import { Looks, usableColour, usablePlane } from "./looks.js";
import { Messages } from "./messages.js";
import { Playbar } from "./playbar.js";
import { Player } from "./player.js";
import { Scatter } from "./scatter.js";
import { Stage } from "./stage.js";
import { START } from "./wish.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./view.js").View} View */

const ZOOM = 1.4;

export class Page {
  /**
   * @param {HTMLElement} root
   * @param {object} events
   * @param {import("./state.js").Change} events.change
   * @param {() => void} events.retry
   * @param {(area: View["area"]) => void} events.moved The user has moved the camera.
   * @param {(step: number) => void} events.stepped
   * @param {() => void} events.resized
   */
  constructor(root, { change, retry, moved, stepped, resized }) {
    this.stepped = stepped;
    /** What the stage shows. */
    this.plane = START.plane;
    const canvas = (this.canvas = el("canvas", { "aria-label": "The entities' ways", role: "img" }));
    const card = new Card();
    const help = new Help();
    this.stage = new Stage(canvas, {
      onHover: (hover) => card.show(hover),
      onSelect: (selected) => change({ selected }),
      onCamera: () => moved(this.area),
    });
    this.player = new Player({
      onStep: () => this.#step(),
      onPlaying: (playing) => this.playbar.setPlaying(playing),
    });
    this.playbar = new Playbar(change, this.player);
    const chooser = new Chooser(change);
    const messages = new Messages({
      retry,
      reveal: () => change({ hidden: new Set(), text: "" }),
    });
    const caption = new Caption();
    const scatter = new Scatter(change);
    const looks = new Looks(change);
    const entities = new Entities(change);
    this.controls = [chooser, caption, scatter, looks, entities, this.playbar, messages];
    const zoom = (/** @type {number} */ factor) => {
      this.stage.zoom(factor);
      moved(this.area);
    };
    const acts = {
      fit: () => change({ area: null }),
      closer: () => zoom(ZOOM),
      farther: () => zoom(1 / ZOOM),
      help: () => help.show(),
    };
    listenToKeys({
      ...acts,
      before: () => chooser.move(-1),
      after: () => chooser.move(1),
      play: () => this.player.toggle(),
      back: () => this.player.advance(-1),
      forth: () => this.player.advance(1),
      clear: () => change({ selected: new Set() }),
    });
    this.stageBox = layOut(root, {
      side: [chooser.node, caption.metrics, scatter.node, looks.node, entities.node],
      notes: messages.notes,
      head: [caption.node, viewButtons(acts)],
      canvas,
      over: messages.node,
      below: this.playbar.node,
      loose: [card.node, help.node],
    });
    new ResizeObserver(() => {
      this.stage.resize();
      resized();
    }).observe(canvas);
  }

  /**
   * @param {State} state
   */
  update(state) {
    const { view, recording } = state;
    const { trail, hidden, text, selected, speed, loop } = view;
    const colour = recording ? usableColour(view, recording) : view.colour;
    const plane = recording ? usablePlane(view, recording) : view.plane;
    Object.assign(this.player, { speed, loop });
    this.stageBox.classList.toggle("busy", state.busy && recording !== null);
    this.stage.update({ trail, colour, plane, groups: hidden, text, selected });
    if (plane !== this.plane) this.look(view.area); // the stage has fitted the camera
    this.plane = plane;
    state.legend = recording ? this.stage.legend : null;
    state.drawn = recording ? this.stage.drawn : 0;
    for (const control of this.controls) control.update(state);
  }

  /** What of the plane the stage shows. */
  get area() {
    return areaOf(this.stage.camera, this.stage.box);
  }

  /** @param {View["area"]} area Null: everything. */
  look(area) {
    if (area) this.stage.camera = cameraOn(area, this.stage.box);
    else this.stage.fit();
  }

  /**
   * Another recording: its steps, and where to be in it.
   *
   * @param {import("./decode.js").Recording} recording
   * @param {number} step
   */
  setRange({ firstStep, lastStep }, step) {
    this.playbar.setRange(firstStep, lastStep);
    this.player.setRange(firstStep, lastStep);
    this.seek(step);
  }

  /** @param {number} step */
  seek(step) {
    this.player.seek(step);
    this.#step();
  }

  #step() {
    const { step } = this.player;
    this.stage.update({ step });
    this.playbar.setStep(step);
    this.stepped(step);
  }
}

/** The card beside the pointer: which entity it is on, and that entity's values. */

import { clip, el } from "./dom.js";
import { format } from "./scales.js";

const AWAY = 14;
/** Lines on the card; an entity may have hundreds of channels. */
const MOST = 16;

export class Card {
  constructor() {
    this.node = el("div", { class: "card", role: "status", hidden: true });
  }

  /** @param {import("./reading.js").Hover|null} hover */
  show(hover) {
    this.node.hidden = hover === null;
    if (!hover) return;
    const { entity, step, x, y, z } = hover;
    /** @type {[string, string][]} */
    const values = [["x", format(x)], ["y", format(y)], ...hover.values];
    if (z !== undefined) values.splice(2, 0, ["z", format(z)]);
    const more = values.length - MOST;
    this.node.replaceChildren(
      el("strong", {}, clip(entity.name)),
      el("span", { class: "quiet" }, `${clip(entity.group, 60)}, step ${step}`),
      el(
        "dl",
        {},
        ...values.slice(0, MOST).flatMap(([name, text]) => [el("dt", {}, clip(name, 40)), el("dd", {}, clip(text, 60))]),
      ),
      ...(more > 0 ? [el("span", { class: "quiet" }, `and ${more} more`)] : []),
    );
    this.#place(hover.clientX, hover.clientY);
  }

  /**
   * Right of and below the pointer, or on the side where there is room.
   *
   * @param {number} x
   * @param {number} y
   */
  #place(x, y) {
    const { offsetWidth: width, offsetHeight: height } = this.node;
    const left = x + AWAY + width > window.innerWidth ? x - AWAY - width : x + AWAY;
    const top = y + AWAY + height > window.innerHeight ? y - AWAY - height : y + AWAY;
    this.node.style.left = `${Math.max(left, 0)}px`;
    this.node.style.top = `${Math.max(top, 0)}px`;
  }
}

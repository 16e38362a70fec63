/** The last few backgrounds of scenes. Most runs have a single one. */

import { fetchBackground } from "./api.js";

const MOST = 8;

export class Backgrounds {
  constructor() {
    /** @type {Map<string, HTMLImageElement|null>} The oldest first. */
    this.images = new Map();
  }

  /**
   * Hands over a background: at once when it is at hand, else once it is.
   *
   * @param {import("./decode.js").Recording} recording
   * @param {(image: HTMLImageElement|null) => void} use Called once or twice; null: none, or none yet.
   */
  async of({ run, scene }, use) {
    const key = scene?.background ?? "";
    const name = JSON.stringify([run, key]);
    const known = this.images.get(name);
    use(known ?? null);
    if (key === "" || known !== undefined) return;
    const image = await fetchBackground(run, key);
    this.images.set(name, image);
    const [oldest] = this.images.keys();
    if (this.images.size > MOST) this.images.delete(oldest);
    if (image) use(image);
  }
}

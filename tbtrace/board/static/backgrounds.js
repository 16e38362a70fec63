/** The last few backgrounds of scenes. Most runs have a single one. */

import { fetchBackground } from "./api.js";

const MOST = 8;

export class Backgrounds {
  constructor() {
    /** @type {Map<string, HTMLImageElement>} The oldest first. */
    this.images = new Map();
    /** @type {Map<string, Promise<HTMLImageElement|null>>} On their way. */
    this.coming = new Map();
  }

  /**
   * Hands over a background: at once when it is at hand, else once it is. One that cannot be had is asked for
   * again with the next episode.
   *
   * @param {import("./decode.js").Recording} recording
   * @param {(image: HTMLImageElement|null) => void} use Called once or twice; null: none, or none yet.
   */
  async of({ run, scene }, use) {
    const key = scene?.background ?? "";
    const name = JSON.stringify([run, key]);
    const known = this.images.get(name);
    use(known ?? null);
    if (key === "" || known) return;
    const coming = this.coming.get(name) ?? this.#fetch(name, run, key);
    const image = await coming;
    if (image) use(image);
  }

  /**
   * @param {string} name
   * @param {string} run
   * @param {string} key
   */
  #fetch(name, run, key) {
    const coming = fetchBackground(run, key).then((image) => {
      this.coming.delete(name);
      if (image) this.images.set(name, image);
      const [oldest] = this.images.keys();
      if (this.images.size > MOST) this.images.delete(oldest);
      return image;
    });
    this.coming.set(name, coming);
    return coming;
  }
}

/** Light or dark: as TensorBoard's own switch says, else as the browser does. */

import { alone, host } from "./host.js";

/**
 * Keeps `data-theme` of the document right, and calls back at first and after each change.
 *
 * @param {(dark: boolean) => void} callback
 */
export function watchTheme(callback) {
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  /** @type {boolean|null} */
  let last = null;
  const look = () => {
    const dark = alone ? system.matches : host.document.body.classList.contains("dark-mode");
    if (dark === last) return;
    last = dark;
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    callback(dark);
  };
  if (alone) system.addEventListener("change", look);
  else {
    const observer = new MutationObserver(look);
    observer.observe(host.document.body, { attributes: true, attributeFilter: ["class"] });
    window.addEventListener("pagehide", () => observer.disconnect());
  }
  look();
}

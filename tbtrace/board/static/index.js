/** TensorBoard imports this module into the iframe of the Traces tab, and calls `render`. */

import { App } from "./app.js";
import { el } from "./dom.js";

export async function render() {
  document.documentElement.lang = "en";
  const sheet = el("link", { rel: "stylesheet", href: new URL("./style.css", import.meta.url).href });
  const styled = new Promise((resolve) => {
    sheet.addEventListener("load", resolve);
    sheet.addEventListener("error", resolve);
  });
  document.head.append(el("title", {}, "Traces"), sheet);
  // The stage measures itself; before the stylesheet is there it would measure nothing.
  await styled;
  new App(document.body).start();
}

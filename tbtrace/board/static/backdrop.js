/**
 * The scene's picture as a ground for coloured lines: mixed with the ground's colour, and in the dark theme with
 * light and dark exchanged where it is light (hues stay).
 */

import { INKS, parse } from "./colours.js";

/** @typedef {HTMLImageElement|ImageBitmap} Picture */

/**
 * Returns the picture to draw.
 *
 * @param {Picture} picture
 * @param {import("./colours.js").Theme} theme
 * @returns {HTMLCanvasElement|null} Null where it has no pixels.
 */
export function backdrop(picture, theme) {
  const width = "naturalWidth" in picture ? picture.naturalWidth : picture.width;
  const height = "naturalHeight" in picture ? picture.naturalHeight : picture.height;
  if (!width || !height) return null;
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) return null;
  context.drawImage(picture, 0, 0);
  const image = context.getImageData(0, 0, width, height);
  soften(image.data, theme);
  context.putImageData(image, 0, 0);
  return canvas;
}

/**
 * Brings pixels near to the ground.
 *
 * @param {Uint8ClampedArray} pixels Red, green, blue, alpha in turn; changed in place.
 * @param {import("./colours.js").Theme} theme
 */
export function soften(pixels, theme) {
  let sum = 0;
  for (let i = 0; i < pixels.length; i += 4) sum += pixels[i] + pixels[i + 1] + pixels[i + 2];
  const light = sum / (pixels.length * 0.75 * 255) || 0;
  const dark = theme === "dark";
  const invert = dark && light > 0.5;
  const off = dark ? (invert ? 1 - light : light) : 1 - light; // how far from the ground it is, 0 to 1
  const share = Math.min(0.85, 0.2 / Math.max(off, 0.2));
  const ground = parse(INKS[theme].ground);
  for (let i = 0; i < pixels.length; i += 4) {
    const [r, g, b] = [pixels[i], pixels[i + 1], pixels[i + 2]];
    const turn = invert ? 255 - Math.max(r, g, b) - Math.min(r, g, b) : 0;
    for (let k = 0; k < 3; k++) {
      const value = pixels[i + k] + turn;
      // White stays the light ground, and black becomes the dark one.
      pixels[i + k] = dark ? ground[k] + (value * share * (255 - ground[k])) / 255 : 255 - (255 - value) * share;
    }
  }
}

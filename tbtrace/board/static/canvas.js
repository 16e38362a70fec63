/** What all that draws on a canvas needs. */

/**
 * @param {HTMLCanvasElement} canvas
 * @param {boolean} alpha Whether one sees through it.
 */
export function contextOf(canvas, alpha) {
  const context = canvas.getContext("2d", { alpha });
  if (!context) throw new Error("This browser gives no canvas to draw on.");
  return context;
}

/**
 * Keeps what is drawn from now on inside of a box.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {import("./camera.js").Box} box
 */
export function clip(context, { left, top, width, height }) {
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
}

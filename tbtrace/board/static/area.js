/**
 * What part of the plane is looked at. A camera's scale holds for one size of the window; an area is shown
 * whole in every one.
 */

/** @typedef {{x: number, y: number, width: number, height: number}} Area
 * Its centre, in data coordinates, and its sides, both in units of the horizontal axis (the other may be stretched). */
/** @typedef {import("./camera.js").Camera} Camera */

/**
 * @param {Camera} camera
 * @param {{width: number, height: number}} box Pixels.
 * @returns {Area}
 */
export function areaOf({ x, y, scale }, box) {
  return { x, y, width: box.width / scale, height: box.height / scale };
}

/**
 * The camera that shows all of an area, as large as there is room.
 *
 * @param {Area} area
 * @param {{width: number, height: number}} box Pixels.
 * @returns {Camera}
 */
export function cameraOn({ x, y, width, height }, box) {
  return { x, y, scale: Math.min(box.width / width, box.height / height) };
}

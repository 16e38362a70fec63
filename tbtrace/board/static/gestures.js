/** What pointers do on the canvas: drag to pan, wheel or two fingers to zoom, hover, click. */

/** @typedef {{pan: (du: number, dv: number) => void, zoom: (factor: number, u: number, v: number) => void, hover: (at: {u: number, v: number, clientX: number, clientY: number}|null) => void, click: (u: number, v: number, add: boolean) => void}} Handlers */

const STILL = 4;
const LINE = 16;
const PAGE = 400;

/**
 * Listens on a canvas.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Handlers} handlers Places are CSS pixels from the canvas's left top corner.
 * @returns {() => void} Ends it.
 */
export function listen(canvas, handlers) {
  const ended = new AbortController();
  /** @type {Map<number, {u: number, v: number}>} */
  const held = new Map();
  let travelled = 0;

  /** @param {MouseEvent} event */
  function at({ clientX, clientY }) {
    const { left, top } = canvas.getBoundingClientRect();
    return { u: clientX - left, v: clientY - top, clientX, clientY };
  }

  /** @param {PointerEvent} event */
  function move(event) {
    const now = at(event);
    const before = held.get(event.pointerId);
    if (!before) {
      if (event.pointerType === "mouse") handlers.hover(now);
      return;
    }
    const other = [...held].find(([id]) => id !== event.pointerId)?.[1];
    travelled += Math.hypot(now.u - before.u, now.v - before.v);
    if (!other && travelled <= STILL) return; // a click with a shaking hand
    held.set(event.pointerId, now);
    // Of two fingers each gives half of the pan, and both the zoom round their middle.
    const share = other ? 0.5 : 1;
    handlers.pan((now.u - before.u) * share, (now.v - before.v) * share);
    if (!other) return;
    const [far, near] = [now, before].map(({ u, v }) => Math.hypot(u - other.u, v - other.v));
    if (far > STILL && near > STILL) handlers.zoom(far / near, (now.u + other.u) / 2, (now.v + other.v) / 2);
  }

  /** @param {PointerEvent} event */
  function down(event) {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    if (!held.size) travelled = 0;
    held.set(event.pointerId, at(event));
    handlers.hover(null);
  }

  /** @param {PointerEvent} event */
  function up(event) {
    const { u, v } = at(event);
    if (!held.delete(event.pointerId) || held.size) return;
    if (event.type === "pointerup" && travelled <= STILL) handlers.click(u, v, event.ctrlKey || event.shiftKey || event.metaKey);
  }

  /** @param {WheelEvent} event */
  function wheel(event) {
    event.preventDefault();
    const { u, v } = at(event);
    const pixels = event.deltaY * (event.deltaMode === 1 ? LINE : event.deltaMode === 2 ? PAGE : 1);
    // Pinching on a touchpad arrives as a wheel with Ctrl and small numbers.
    const speed = event.ctrlKey ? 0.01 : 0.0015;
    handlers.zoom(Math.exp(-Math.min(Math.max(pixels * speed, -1), 1)), u, v);
  }

  const options = { signal: ended.signal };
  canvas.style.touchAction = "none";
  canvas.addEventListener("pointerdown", down, options);
  canvas.addEventListener("pointermove", move, options);
  canvas.addEventListener("pointerup", up, options);
  canvas.addEventListener("pointercancel", up, options);
  canvas.addEventListener("lostpointercapture", up, options); // let go where nobody heard it
  canvas.addEventListener("pointerleave", () => handlers.hover(null), options);
  canvas.addEventListener("wheel", wheel, { ...options, passive: false });
  return () => ended.abort();
}

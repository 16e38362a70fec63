/**
 * The page round this one. TensorBoard shows a plugin in an iframe of its own origin, so its
 * address, its theme and its Reload button can be reached; opened by itself, this page is its own
 * host.
 */

/** @returns {Window} */
function find() {
  try {
    // Reading anything of a stranger's window throws.
    return window.parent.location.origin === window.location.origin ? window.parent : window;
  } catch {
    return window;
  }
}

export const host = find();
export const alone = host === window;

/** Whether TensorBoard shows this tab: it keeps the iframes of the others, made invisible. */
export function shown() {
  const frame = alone ? null : window.frameElement;
  return (
    document.visibilityState === "visible" &&
    (frame === null || host.getComputedStyle(frame).visibility !== "hidden")
  );
}

/**
 * Calls back whenever this tab is shown or left.
 *
 * @param {(shown: boolean) => void} callback
 */
export function onShown(callback) {
  const tell = () => callback(shown());
  document.addEventListener("visibilitychange", tell);
  // Says so when TensorBoard makes the iframe invisible, which is no event.
  new IntersectionObserver(tell).observe(document.body);
}

/**
 * Listens on the host until this page goes: a listener left behind would keep it in memory.
 *
 * @param {string} event
 * @param {() => void} listener
 */
export function onHost(event, listener) {
  host.addEventListener(event, listener);
  window.addEventListener("pagehide", () => host.removeEventListener(event, listener));
}

/**
 * Calls back whenever TensorBoard has reloaded its data. TensorBoard tells its plugins through a
 * MessageChannel that they open; there is no supported package, and this much is enough.
 *
 * @param {() => void} callback
 */
export function onReload(callback) {
  if (alone) return;
  const { port1, port2 } = new MessageChannel();
  port1.addEventListener("message", ({ data }) => {
    const { type, id, isReply } = JSON.parse(data);
    if (isReply) return;
    port1.postMessage(JSON.stringify({ type, id, payload: null, error: null, isReply: true }));
    if (type === "experimental.DataReloaded") callback();
  });
  port1.start();
  host.postMessage("experimental.bootstrap", window.location.origin, [port2]);
}

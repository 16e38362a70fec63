/**
 * The page round this one. TensorBoard shows a plugin in an iframe of its own origin, so its
 * address and its theme can be reached; opened by itself, this page is its own host.
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

/** Takes the keyboard where nothing of TensorBoard's has it, so that keys work before the first click. */
export function takeKeys() {
  const { activeElement, body } = host.document;
  if (!alone && shown() && (activeElement ?? body) === body) window.focus();
}

/**
 * Calls back whenever this tab is shown or left.
 *
 * @param {(shown: boolean) => void} callback
 */
export function onShown(callback) {
  let last = shown();
  const tell = () => {
    const now = shown();
    if (now === last) return;
    last = now;
    callback(now);
  };
  document.addEventListener("visibilitychange", tell);
  // That TensorBoard makes the iframe invisible is no event, but it makes it flat, too.
  new ResizeObserver(tell).observe(document.documentElement);
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

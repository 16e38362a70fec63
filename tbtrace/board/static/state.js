/** What the controls are told: the view, and what the server has said of it so far. */

/** @typedef {import("./view.js").View} View */
/** @typedef {import("./api.js").Listing} Listing */
/** @typedef {import("./catalogue.js").Catalogue} Catalogue */
/** @typedef {import("./decode.js").Recording} Recording */
/**
 * @typedef {{kind: "list", items: {label: string, colour: string, key?: string}[], more: number} |
 *   {kind: "bar", label: string, low: number, high: number, colours: string[]}} Legend
 */

/**
 * @typedef {object} State
 * @property {View} view
 * @property {Listing|null} listing
 * @property {Catalogue|null} catalogue Of the view's run.
 * @property {number} position Of the view's iteration among its split's; -1: none.
 * @property {number} row Of the chosen episode in the catalogue; -1: none.
 * @property {Recording|null} recording What the stage shows; for a moment still the last one.
 * @property {boolean} busy Another recording is on its way.
 * @property {Legend|null} legend Of the stage.
 * @property {number} drawn How many entities of the recording the stage shows, hidden ones and another plane's left out.
 * @property {Error|null} offline Why the server could not be asked for its runs.
 * @property {Error|null} failure Why the chosen run or episode could not be had.
 * @property {Error|null} stale Why a newer list of episodes could not be had.
 * @property {string} notice What happened to what the user looked at.
 */

/** @typedef {(changes: Partial<View>) => void} Change The user wants this. */

/**
 * Before anything is known.
 *
 * @param {View} view
 * @returns {State}
 */
export function firstState(view) {
  return {
    view,
    listing: null,
    catalogue: null,
    position: -1,
    row: -1,
    recording: null,
    busy: false,
    legend: null,
    drawn: 0,
    offline: null,
    failure: null,
    stale: null,
    notice: "",
  };
}

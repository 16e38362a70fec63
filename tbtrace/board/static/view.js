/**
 * What the user looks at: one plain object that the controls change, the stage shows and the
 * address holds. What follows from the data (which runs there are, the recording) is not in it.
 */

/** @typedef {"best"|"worst"|"last"} Pick */

/**
 * @typedef {object} View
 * @property {string} run Empty: none was chosen yet.
 * @property {string} split "train" or "evaluation".
 * @property {number|null} iteration Null: the newest there is when the run opens.
 * @property {Pick} pick Which episode of every iteration.
 * @property {string} uid One certain episode of this iteration instead; empty: none.
 * @property {boolean} follow Go to each new iteration as it comes.
 * @property {number|null} step Null: the episode's last step.
 * @property {number|"all"} trail Steps behind the current one; Infinity: the way so far.
 * @property {{by: "entity"|"group"|"time"|"channel", name?: string}} colour
 * @property {"xy"|"xz"|"yz"} plane
 * @property {Set<string>} hidden Groups.
 * @property {string} text What entities' names hold.
 * @property {Set<string>} selected Keys of entities.
 * @property {import("./area.js").Area|null} area What of the plane is shown at least; null: everything.
 * @property {number} speed Steps a second.
 * @property {boolean} loop
 */

export const PICKS = /** @type {const} */ (["best", "worst", "last"]);
export const PLANES = /** @type {const} */ (["xy", "xz", "yz"]);

/** @returns {View} */
export function firstView() {
  return {
    run: "",
    split: "train",
    iteration: null,
    pick: "best",
    uid: "",
    follow: false,
    step: null,
    trail: Infinity,
    colour: { by: "entity" },
    plane: "xy",
    hidden: new Set(),
    text: "",
    selected: new Set(),
    area: null,
    speed: 30,
    loop: false,
  };
}

/**
 * A view as texts, without what is as at first.
 *
 * @param {View} view
 * @returns {Map<string, string>}
 */
export function viewToTexts(view) {
  const first = firstView();
  const { area, colour } = view;
  /** @type {[string, string, boolean][]} */
  const all = [
    ["run", view.run, view.run !== ""],
    ["split", view.split, view.split !== first.split],
    ["iteration", String(view.iteration), view.iteration !== null],
    ["pick", view.pick, view.pick !== first.pick],
    ["uid", view.uid, view.uid !== ""],
    ["follow", "1", view.follow],
    ["step", String(view.step), view.step !== null],
    ["trail", String(view.trail), view.trail !== first.trail],
    ["colour", colour.name === undefined ? colour.by : `channel:${colour.name}`, colour.by !== "entity"],
    ["plane", view.plane, view.plane !== first.plane],
    ["hidden", JSON.stringify([...view.hidden]), view.hidden.size > 0],
    ["text", view.text, view.text !== ""],
    // Keys are JSON themselves, [group, name]; nested once, not twice, they stay short.
    ["selected", `[${[...view.selected].join(",")}]`, view.selected.size > 0],
    ["area", area ? [area.x, area.y, area.width, area.height].map(short).join(",") : "", area !== null],
    ["speed", String(view.speed), view.speed !== first.speed],
    ["loop", "1", view.loop],
  ];
  return new Map(all.filter(([, , told]) => told).map(([key, text]) => [key, text]));
}

/**
 * The view that texts describe. Addresses are typed and cut off: what makes no sense is as at first.
 *
 * @param {Map<string, string>} texts
 * @returns {View}
 */
export function viewFromTexts(texts) {
  const view = firstView();
  const told = (/** @type {string} */ key) => texts.get(key) ?? "";
  const whole = (/** @type {string} */ key) => (/^\d{1,15}$/.test(told(key)) ? Number(told(key)) : null);
  view.run = told("run");
  view.split = told("split") === "evaluation" ? "evaluation" : "train";
  view.iteration = whole("iteration");
  view.pick = PICKS.find((pick) => pick === told("pick")) ?? view.pick;
  view.uid = told("uid");
  view.follow = told("follow") === "1";
  view.step = whole("step");
  view.trail = told("trail") === "all" ? "all" : (whole("trail") ?? Infinity);
  const colour = told("colour");
  if (colour === "group" || colour === "time") view.colour = { by: colour };
  if (colour.startsWith("channel:")) view.colour = { by: "channel", name: colour.slice(8) };
  view.plane = PLANES.find((plane) => plane === told("plane")) ?? view.plane;
  view.hidden = new Set(list(told("hidden")).filter((group) => typeof group === "string"));
  view.text = told("text");
  view.selected = new Set(list(told("selected")).map((key) => JSON.stringify(key)));
  const [x, y, width, height] = told("area").split(",").map(Number);
  if ([x, y, width, height].every(Number.isFinite) && width > 0 && height > 0) view.area = { x, y, width, height };
  view.speed = Math.min(Math.max(whole("speed") ?? view.speed, 1), 1000);
  view.loop = told("loop") === "1";
  return view;
}

/**
 * @param {string} text
 * @returns {any[]}
 */
function list(text) {
  try {
    const value = JSON.parse(text);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

/** @param {number} value */
function short(value) {
  return String(Number(value.toPrecision(9)));
}

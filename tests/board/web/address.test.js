import assert from "node:assert/strict";
import test from "node:test";
import { viewFromTexts } from "../../../tbtrace/board/static/view.js";

/** TensorBoard's window round a plugin's, as far as an address goes. */
class Host extends EventTarget {
  location = { origin: "http://t", hash: "" };
  writes = 0;
  history = {
    state: null,
    replaceState: (/** @type {null} */ _, /** @type {string} */ __, /** @type {string} */ hash) => {
      this.location.hash = hash;
      this.writes += 1;
    },
  };

  /** @param {string} hash */
  go(hash) {
    this.location.hash = hash;
    this.dispatchEvent(new Event("hashchange"));
  }
}

const host = new Host();
const page = Object.assign(new EventTarget(), { parent: host, location: host.location, setTimeout, clearTimeout });
Object.assign(globalThis, { window: page });
const { Address, hashWith, textsOf } = await import("../../../tbtrace/board/static/address.js");

// What listens on the host goes with the page.
test.afterEach(() => page.dispatchEvent(new Event("pagehide")));

/** @param {import("node:test").TestContext} context */
function timed(context) {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  // The page's own are those of the window.
  Object.assign(page, { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout });
  Object.assign(host, { writes: 0 });
  return (/** @type {number} */ ms) => context.mock.timers.tick(ms);
}

test("keys of others stay, and ours are exchanged", () => {
  const hash = hashWith("#tbtrace&p.other.a=1&p.tbtrace.run=old&runSelect=x", new Map([["run", "a b/&=é"]]));
  assert.equal(hash, "#tbtrace&p.other.a=1&runSelect=x&p.tbtrace.run=a%20b%2F%26%3D%C3%A9");
  assert.deepEqual(textsOf(hash), new Map([["run", "a b/&=é"]]));
  assert.equal(hashWith("", new Map([["step", "3"]])), "#tbtrace&p.tbtrace.step=3");
});

test("a link that was cut within a character still holds the rest", () => {
  assert.deepEqual(textsOf("#tbtrace&p.tbtrace.step=3&p.tbtrace.run=%E2%8"), new Map([["step", "3"]]));
  assert.deepEqual(textsOf("#tbtrace&p.tbtrace.run"), new Map([["run", ""]]));
});

test("half a character can be written", () => {
  assert.deepEqual(textsOf(hashWith("", new Map([["run", "a\ud800b😀"]]))), new Map([["run", "a\ufffdb😀"]]));
});

test("the newest view is written, once", (context) => {
  const tick = timed(context);
  const address = new Address(() => assert.fail("nobody else has changed it"));
  host.location.hash = "#tbtrace";
  let view = viewFromTexts(new Map([["run", "r"]]));
  for (const step of [1, 2, 3]) {
    view = { ...view, step };
    address.keep(() => view);
  }
  assert.equal(host.writes, 0);
  tick(1000);
  assert.equal(host.location.hash, "#tbtrace&p.tbtrace.run=r&p.tbtrace.step=3");
  address.keep(() => view);
  tick(1000);
  assert.equal(host.writes, 1, "the same is not written again");
});

test("the selection is left out of a link that grows too long, and a view that is too long altogether", (context) => {
  const tick = timed(context);
  const address = new Address(() => {});
  host.location.hash = "#tbtrace";
  const selected = JSON.stringify(Array.from({ length: 4000 }, (_, i) => ["group", `entity ${i}`]));
  address.keep(() => viewFromTexts(new Map([["run", "r"], ["selected", selected]])));
  tick(1000);
  assert.equal(host.location.hash, "#tbtrace&p.tbtrace.run=r");
  address.keep(() => viewFromTexts(new Map([["run", "é".repeat(10000)]])));
  tick(1000);
  assert.equal(host.location.hash, "#tbtrace&p.tbtrace.run=r");
});

test("another one's change wins over what was about to be written; our own is no change", (context) => {
  const tick = timed(context);
  /** @type {string[]} */
  const runs = [];
  const address = new Address(({ run }) => runs.push(run));
  host.location.hash = "#tbtrace";
  address.keep(() => viewFromTexts(new Map([["run", "mine"]])));
  host.go("#tbtrace&p.tbtrace.run=theirs");
  tick(1000);
  assert.deepEqual(runs, ["theirs"]);
  assert.equal(host.location.hash, "#tbtrace&p.tbtrace.run=theirs");
  host.go("#tbtrace&p.tbtrace.run=theirs&runSelect=x");
  assert.deepEqual(runs, ["theirs"]);
  host.go("#tbtrace");
  assert.deepEqual(runs, ["theirs", ""]);
});

test("while another tab is open, the address is none of our business", (context) => {
  const tick = timed(context);
  const address = new Address(() => assert.fail("not ours"));
  host.go("#scalars&p.tbtrace.run=x");
  address.keep(() => viewFromTexts(new Map([["run", "r"]])));
  tick(1000);
  assert.equal(host.location.hash, "#scalars&p.tbtrace.run=x");
});

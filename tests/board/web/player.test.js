import assert from "node:assert/strict";
import test from "node:test";
import { Player } from "../../../tbtrace/board/static/player.js";

/** A player from 0 to 10 at 10 steps a second, and a clock that is moved by hand. */
function played() {
  /** @type {Map<number, (now: number) => void>} */
  const asked = new Map();
  let [now, next] = [1000, 1];
  /** @type {(number|boolean)[]} */
  const said = [];
  const player = new Player(
    { onStep: (step) => said.push(step), onPlaying: (playing) => said.push(playing) },
    { request: (frame) => (asked.set(next, frame), next++), cancel: (frame) => asked.delete(frame) },
  );
  player.setRange(0, 10);
  player.speed = 10;
  const pass = (/** @type {number[]} */ ...times) => {
    for (const time of times) {
      now += time;
      const due = [...asked.values()];
      asked.clear();
      for (const frame of due) frame(now);
    }
  };
  return { player, said, pass, asked };
}

test("steps are whole, time is not, and each step is said once", () => {
  const { player, said, pass } = played();
  player.play();
  pass(16, 60, 60, 60, 60);
  assert.deepEqual(said, [true, 1, 2]);
});

test("it stops at the end, and plays again from the beginning", () => {
  const { player, said, pass, asked } = played();
  player.seek(9);
  player.play();
  pass(0, 100, 100);
  assert.deepEqual(said, [9, true, 10, false]);
  assert.equal(asked.size, 0);
  player.toggle();
  assert.deepEqual(said.slice(4), [0, true]);
});

test("a loop shows the last step for its time, then the first", () => {
  const { player, said, pass } = played();
  player.loop = true;
  player.seek(9);
  player.play();
  pass(0, 100, 50, 49, 1, 100);
  assert.deepEqual(said, [9, true, 10, 0, 1]);
  assert.ok(player.playing);
});

test("a hidden page does not make it jump", () => {
  const { player, pass } = played();
  player.play();
  pass(0, 60000);
  assert.equal(player.step, 2);
});

test("speed changes while it plays; pause keeps the time", () => {
  const { player, said, pass, asked } = played();
  player.play();
  pass(0, 150);
  player.pause();
  player.pause();
  assert.equal(asked.size, 0);
  player.speed = 20;
  player.play();
  pass(500, 30);
  assert.deepEqual(said, [true, 1, false, true, 2]);
});

test("seeking and stepping stay in the range, and a new range takes the step along", () => {
  const { player, said } = played();
  player.advance(3);
  player.advance(-5);
  player.seek(99);
  player.setRange(20, 30);
  player.setRange(0, 4);
  assert.deepEqual(said, [3, 0, 10, 20, 4]);
});

test("one step cannot be played", () => {
  const { player, said, asked } = played();
  player.setRange(0, 0);
  player.play();
  assert.deepEqual([said, asked.size, player.playing], [[], 0, false]);
});

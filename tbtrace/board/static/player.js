/** Time that runs: steps at a speed, driven by the browser's frames. */

/** So much time is made up for at most, e.g. when the page was hidden. */
const LONGEST_FRAME = 250;

export class Player {
  /** Steps a second. */
  speed = 30;
  loop = false;
  #time = 0;
  #first = 0;
  #last = 0;
  /** The pending frame; 0 while paused. */
  #frame = 0;
  /** When the last frame was, in milliseconds; NaN before the first one. */
  #before = NaN;
  #onStep;
  #onPlaying;
  #request;
  #cancel;

  /**
   * @param {{onStep: (step: number) => void, onPlaying: (playing: boolean) => void}} events `onStep` is called when
   *     the integral step changes, however it comes.
   * @param {{request: (frame: (now: number) => void) => number, cancel: (frame: number) => void}} [clock] For tests;
   *     it hands out numbers that are not 0.
   */
  constructor({ onStep, onPlaying }, clock) {
    this.#onStep = onStep;
    this.#onPlaying = onPlaying;
    this.#request = clock?.request ?? ((frame) => requestAnimationFrame(frame));
    this.#cancel = clock?.cancel ?? ((frame) => cancelAnimationFrame(frame));
  }

  get step() {
    return Math.floor(this.#time);
  }

  get playing() {
    return this.#frame !== 0;
  }

  /**
   * Sets the first and the last step; a step outside is brought inside.
   *
   * @param {number} first
   * @param {number} last
   */
  setRange(first, last) {
    this.#first = first;
    this.#last = Math.max(first, last);
    this.#set(this.#time);
  }

  /** Plays on; from the beginning where it stands at the end. Does nothing where there is only one step. */
  play() {
    if (this.playing || this.#first === this.#last) return;
    if (this.#time >= this.#last) this.#set(this.#first);
    this.#before = NaN;
    this.#frame = this.#request(this.#tick);
    this.#onPlaying(true);
  }

  pause() {
    if (!this.playing) return;
    this.#cancel(this.#frame);
    this.#frame = 0;
    this.#onPlaying(false);
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  /**
   * Goes some steps on, or back.
   *
   * @param {number} delta
   */
  advance(delta) {
    this.#set(this.step + delta);
  }

  /** @param {number} step */
  seek(step) {
    this.#set(step);
  }

  #tick = (/** @type {number} */ now) => {
    this.#frame = this.#request(this.#tick);
    const passed = Math.min(now - this.#before, LONGEST_FRAME);
    this.#before = now;
    if (!(passed > 0)) return; // the first frame has no one before it
    const time = this.#time + (passed / 1000) * this.speed;
    // The last step is seen for its time, too, before it begins again.
    if (time < this.#last || (this.loop && time < this.#last + 1)) return this.#move(time);
    this.#move(this.loop ? this.#first : this.#last);
    if (!this.loop) this.pause();
  };

  /** @param {number} time */
  #set(time) {
    this.#move(Math.min(Math.max(time, this.#first), this.#last));
  }

  /** @param {number} time */
  #move(time) {
    const before = this.step;
    this.#time = time;
    if (this.step !== before) this.#onStep(this.step);
  }
}

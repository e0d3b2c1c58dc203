// The picture on the easel: its pixels, and the canvas that shows them with the tone that is set.

import { fetchPixels } from "./api.js";
import { UNCHANGED, applyTone, countLevels, matchLevel, measure } from "./tone.js";

const OPAQUE = 0xff000000;

export class Easel {
  #turn = null; // the opening under way; a later one takes its place
  #pixels = null;
  #toned = null;
  #image = null; // what the canvas gets
  #due = false;
  #settings = UNCHANGED;

  /** `measured(before, after)` gets the counts of gray levels each time the picture is drawn. */
  constructor(canvas, measured) {
    this.canvas = canvas;
    this.measured = measured;
    this.showsBefore = false;
  }

  get loading() {
    return this.#turn !== null;
  }

  get isEmpty() {
    return this.#pixels === null;
  }

  /** Put a picture on the easel, which is empty until it is there; `settings()` are asked for then. */
  async open({ id, width, height }, settings) {
    const turn = (this.#turn = {});
    this.#pixels = null;
    this.canvas.hidden = true;
    try {
      const pixels = await fetchPixels(id);
      if (turn !== this.#turn) return;
      this.#lay(id, pixels, width, height);
      this.#settings = settings();
      this.#draw();
      this.canvas.hidden = false;
    } finally {
      if (turn === this.#turn) this.#turn = null;
    }
  }

  /** Draw soon, once a frame at most. */
  show(settings = this.#settings) {
    this.#settings = settings;
    if (this.#due) return;
    this.#due = true;
    requestAnimationFrame(() => {
      this.#due = false;
      this.#draw();
    });
  }

  match(settings, goal) {
    return matchLevel(this.#pixels, settings, goal);
  }

  #lay(id, { gray, smooth }, width, height) {
    if (gray.length !== width * height) throw new Error(`The picture ${id} has changed; load this page again.`);
    const counts = countLevels(gray);
    this.#pixels = { gray, smooth, counts, mean: measure(counts).mean };
    this.#toned = new Uint8ClampedArray(gray.length);
    Object.assign(this.canvas, { width, height });
    this.#image = this.#context.createImageData(width, height);
  }

  #draw() {
    if (this.isEmpty) return;
    const { gray, counts } = this.#pixels;
    applyTone(this.#pixels, this.#settings, this.#toned);
    this.#paint(this.showsBefore ? gray : this.#toned);
    this.measured(counts, countLevels(this.#toned));
  }

  #paint(levels) {
    const colours = new Uint32Array(this.#image.data.buffer);
    for (let at = 0; at < levels.length; at++) colours[at] = OPAQUE | (levels[at] * 0x010101);
    this.#context.putImageData(this.#image, 0, 0);
  }

  get #context() {
    return this.canvas.getContext("2d");
  }
}

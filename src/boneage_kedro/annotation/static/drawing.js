// A mask under the pen: every change is a step that can be undone, and is told to whoever shows the mask.

import { History } from "./history.js";
import { crop } from "./mask.js";
import { isEmpty, NOTHING, union } from "./rect.js";

/** Events: "pixels" with the changed box as `detail`; "step" when something was done, undone or saved. */
export class Drawing extends EventTarget {
  #history = new History();
  #before = null; // all pixels before the step under way
  #touched = NOTHING;

  constructor(mask) {
    super();
    this.mask = mask;
  }

  get history() {
    return this.#history;
  }

  /** Begin a step; one that is under way ends here. */
  begin() {
    this.end();
    this.#before = this.mask.codes.slice();
    this.#touched = NOTHING;
  }

  /** Give a shape of `raster.js` a code; nothing happens if no step is under way. */
  paint(shape, code) {
    if (this.#before) this.#tell(this.mask.paint(shape, code));
  }

  end() {
    const patch = this.#patch();
    this.#before = null;
    if (!patch) return;
    this.#history.add(patch);
    this.dispatchEvent(new Event("step"));
  }

  /** Leave the step under way as if it had never begun. */
  cancel() {
    const patch = this.#patch();
    this.#before = null;
    if (patch) this.#swap(patch);
  }

  /** Put other pixels in the place of all, as one step. */
  replace(codes) {
    this.begin();
    this.mask.codes.set(codes);
    this.#tell(this.mask.whole);
    this.end();
  }

  undo() {
    this.#take(this.#history.undo());
  }

  redo() {
    this.#take(this.#history.redo());
  }

  markSaved(state) {
    this.#history.markSaved(state);
    this.dispatchEvent(new Event("step"));
  }

  /** What the step under way has changed, or null if that is nothing. */
  #patch() {
    if (!this.#before || isEmpty(this.#touched)) return null;
    const codes = crop(this.#before, this.mask.width, this.#touched);
    const now = crop(this.mask.codes, this.mask.width, this.#touched);
    return codes.some((code, at) => code !== now[at]) ? { rect: this.#touched, codes } : null;
  }

  #take(patch) {
    if (!patch) return;
    this.#swap(patch);
    this.dispatchEvent(new Event("step"));
  }

  #swap(patch) {
    this.mask.swap(patch);
    this.#tell(patch.rect);
  }

  #tell(rect) {
    if (isEmpty(rect)) return;
    this.#touched = union(this.#touched, rect);
    this.dispatchEvent(new CustomEvent("pixels", { detail: rect }));
  }
}

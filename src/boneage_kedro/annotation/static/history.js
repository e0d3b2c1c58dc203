// What can be undone and redone, and which state of the drawing is the saved one.

const MOST_BYTES = 256 * 2 ** 20; // of pixels kept; the oldest steps go first

export class History {
  #done = [];
  #undone = [];
  #start = {}; // stands for the state before the oldest step
  #saved = this.#start;

  /** A token of the present state. */
  get state() {
    return this.#done.at(-1) ?? this.#start;
  }

  get isSaved() {
    return this.state === this.#saved;
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  add(patch) {
    this.#done.push(patch);
    this.#undone = [];
    let bytes = this.#done.reduce((sum, step) => sum + step.codes.length, 0);
    while (bytes > MOST_BYTES && this.#done.length > 1) {
      this.#start = this.#done.shift();
      bytes -= this.#start.codes.length;
    }
  }

  undo() {
    return move(this.#done, this.#undone);
  }

  redo() {
    return move(this.#undone, this.#done);
  }

  markSaved(state) {
    this.#saved = state;
  }
}

function move(from, to) {
  const patch = from.pop();
  if (patch) to.push(patch);
  return patch;
}

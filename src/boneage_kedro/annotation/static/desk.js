// The radiograph on the desk: its picture, the drawing of its mask, and whether that is saved.

import { fetchMask, fetchPicture, saveMask } from "./api.js";
import { Drawing } from "./drawing.js";
import { Mask } from "./mask.js";
import { Overlay } from "./overlay.js";
import { decodeGray, encodeGray } from "./png.js";
import { View } from "./view.js";

/** Events: "change" when something is to be shown anew, "state" when what is saved or can be undone changes. */
export class Desk extends EventTarget {
  id = null;
  picture = null;
  drawing = null;
  overlay = null;
  view = new View();
  tools = []; // all, as they are drawn
  tool = null; // the one in hand, null to move the picture
  saving = false;
  #turn = null; // the opening under way; a later one takes its place

  get loading() {
    return this.#turn !== null;
  }

  get hasUnsaved() {
    return this.drawing !== null && (!this.drawing.history.isSaved || this.tools.some((tool) => tool.isOpen));
  }

  /**
   * Put a radiograph on the desk, which is empty until it is there, so that nothing is drawn on the one before.
   * Returns the reason if its saved mask could not be used, else "".
   */
  async open(id) {
    const turn = (this.#turn = {});
    this.#clearFor(id);
    try {
      const [picture, { mask, problem }] = await Promise.all([fetchPicture(id), loadMask(id)]);
      if (turn !== this.#turn) return "";
      this.#lay(picture, mask ?? Mask.empty(picture.width, picture.height));
      return problem;
    } finally {
      if (turn === this.#turn) this.#turn = null;
      this.changed();
    }
  }

  /** Save the mask as it is now; what is drawn meanwhile stays unsaved. */
  async save() {
    const { id, drawing } = this;
    const { state } = drawing.history;
    this.saving = true;
    this.#tell("state");
    try {
      await saveMask(id, await encodeGray(drawing.mask));
      drawing.markSaved(state);
    } finally {
      this.saving = false;
      this.#tell("state");
    }
  }

  async resetToProposal() {
    const { id, drawing } = this;
    const { codes } = await decodeGray(await fetchMask(id, "proposal.png"));
    if (drawing === this.drawing) drawing.replace(codes);
  }

  eraseAll() {
    this.drawing.replace(new Uint8Array(this.drawing.mask.codes.length));
  }

  finish() {
    this.tool?.finish?.();
    this.changed();
  }

  changed() {
    this.#tell("change");
  }

  #clearFor(id) {
    this.picture?.close();
    for (const tool of this.tools) tool.drop?.();
    Object.assign(this, { id, picture: null, drawing: null, overlay: null });
    this.changed();
  }

  #lay(picture, mask) {
    if (mask.width !== picture.width || mask.height !== picture.height) {
      throw new Error(`The mask of ${this.id} has another size than its picture; remove it from the queue's folder.`);
    }
    const drawing = new Drawing(mask);
    const overlay = new Overlay(mask);
    drawing.addEventListener("pixels", ({ detail }) => overlay.update(detail));
    drawing.addEventListener("pixels", () => this.changed());
    drawing.addEventListener("step", () => this.#tell("state"));
    Object.assign(this, { picture, drawing, overlay });
    this.view.show(picture.width, picture.height);
  }

  #tell(kind) {
    this.dispatchEvent(new Event(kind));
  }
}

/** The saved mask; if it cannot be used the proposal, if that cannot be used none, with the reasons. */
async function loadMask(id) {
  const problems = new Set();
  let mask = null;
  for (const file of ["mask.png", "proposal.png"]) {
    if (mask) break;
    try {
      mask = new Mask(await decodeGray(await fetchMask(id, file)));
    } catch (error) {
      problems.add(error.message);
    }
  }
  return { mask, problem: [...problems].join("\n") };
}

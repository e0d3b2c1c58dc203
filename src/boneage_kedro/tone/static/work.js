// What the person has set, by picture: saved as pairs, or only here so far.

import { saveSettings } from "./api.js";
import { UNCHANGED } from "./tone.js";

/** Events: "change" when something is set or saved. */
export class Work extends EventTarget {
  #records = new Map(); // of the pictures on the sheet, null where there is no pair
  #drafts = new Map(); // what is set and not saved
  #gold = new Map(); // mean and contrast of all pairs in the folder, also those of other sheets
  last = null; // settings saved last

  take({ pictures, gold }) {
    this.#records = new Map(pictures.map(({ id, record }) => [id, record]));
    this.#gold = new Map(Object.entries(gold));
    this.#tell();
  }

  settings(id) {
    return this.#drafts.get(id) ?? this.#saved(id);
  }

  isDone(id) {
    return Boolean(this.#records.get(id));
  }

  isChanged(id) {
    return this.#drafts.has(id);
  }

  get hasChanges() {
    return this.#drafts.size > 0;
  }

  get openCount() {
    return [...this.#records.values()].filter((record) => !record).length;
  }

  set(id, settings) {
    const saved = this.#saved(id);
    if (Object.keys(UNCHANGED).every((name) => settings[name] === saved[name])) this.#drafts.delete(id);
    else this.#drafts.set(id, settings);
    this.#tell();
  }

  /** Make the pair of a picture; what is set for it meanwhile stays unsaved. */
  async save(id, settings = this.settings(id)) {
    const draft = this.#drafts.get(id);
    const record = await saveSettings(id, settings);
    this.#records.set(id, record);
    this.#gold.set(id, record);
    this.last = settings;
    if (this.#drafts.get(id) === draft) this.#drafts.delete(id);
    this.#tell();
  }

  /** Average and spread of the gold: `{ count, mean, contrast }`, the latter two each `{ average, spread }`. */
  get gold() {
    const levels = [...this.#gold.values()];
    const of = (name) => averageOf(levels.map((level) => level[name]));
    return { count: levels.length, mean: of("mean"), contrast: of("contrast") };
  }

  #saved(id) {
    return this.#records.get(id)?.settings ?? UNCHANGED;
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}

function averageOf(values) {
  const average = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - average) ** 2, 0);
  return { average, spread: Math.sqrt(squares / values.length) };
}

// The sheet: thumbnails with their state, to open and to select.

import { thumbnailAddress } from "./api.js";

/** Events: "selection" when other pictures are selected. */
export class Sheet extends EventTarget {
  #items = new Map(); // by id, in order
  #revision = 0;

  /** `choose(id)` is called when the person picks a picture; `work` knows how far each one is. */
  constructor(list, work, choose) {
    super();
    this.list = list;
    this.work = work;
    this.choose = choose;
    list.addEventListener("change", () => this.#tell());
  }

  show(pictures) {
    this.#items = new Map(pictures.map((picture) => [picture.id, this.#item(picture)]));
    this.list.replaceChildren(...Array.from(this.#items.values(), ({ element }) => element));
    this.mark();
    this.#tell();
  }

  picture(id) {
    return this.#items.get(id).picture;
  }

  get count() {
    return this.#items.size;
  }

  get selected() {
    return [...this.#items].filter(([, { box }]) => box.checked).map(([id]) => id);
  }

  select(isSelected) {
    for (const [id, { box }] of this.#items) box.checked = isSelected(id);
    this.#tell();
  }

  toggle(id) {
    const { box } = this.#items.get(id);
    box.checked = !box.checked;
    this.#tell();
  }

  /** Show how far all pictures are. */
  mark() {
    for (const [id, { button, state }] of this.#items) {
      const words = this.work.isChanged(id) ? "changed" : this.work.isDone(id) ? "done" : "open";
      if (button.dataset.state === words) continue;
      button.dataset.state = words;
      state.textContent = words;
    }
  }

  markCurrent(current) {
    for (const [id, { button }] of this.#items) {
      if (id === current) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    this.#items.get(current).element.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** The thumbnail of a picture whose gold is new. */
  renew(id) {
    this.#items.get(id).thumbnail.src = thumbnailAddress(id, ++this.#revision);
  }

  /** The next open picture after one, from the start again at the end; undefined if no other is open. */
  nextOpen(id) {
    const ids = [...this.#items.keys()];
    const at = ids.indexOf(id);
    return [...ids.slice(at + 1), ...ids.slice(0, Math.max(0, at))].find((each) => !this.work.isDone(each));
  }

  /** The picture that many places further on, undefined beyond the ends. */
  neighbour(id, step) {
    const ids = [...this.#items.keys()];
    return ids[ids.indexOf(id) + step];
  }

  get first() {
    return this.nextOpen() ?? this.#items.keys().next().value;
  }

  #item(picture) {
    const { id } = picture;
    const thumbnail = Object.assign(document.createElement("img"), {
      src: thumbnailAddress(id, 0), alt: "", loading: "lazy", width: 88, height: 88,
    });
    const state = document.createElement("span");
    const name = Object.assign(document.createElement("b"), { textContent: id });
    const button = Object.assign(document.createElement("button"), { type: "button" });
    button.append(thumbnail, name, state);
    button.addEventListener("click", () => this.choose(id));
    const box = Object.assign(document.createElement("input"), { type: "checkbox", title: `Select ${id}` });
    const element = document.createElement("li");
    element.append(button, box);
    return { picture, element, button, box, thumbnail, state };
  }

  #tell() {
    this.dispatchEvent(new Event("selection"));
  }
}

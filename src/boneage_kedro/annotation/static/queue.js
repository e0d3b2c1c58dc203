// The list of radiographs to be masked.

export class Queue {
  #cases = [];
  #buttons = new Map();

  /** `choose(id)` is called when the person picks a radiograph. */
  constructor(list, progress, choose) {
    this.list = list;
    this.progress = progress;
    this.choose = choose;
  }

  show(cases) {
    this.#cases = cases;
    this.#buttons = new Map(cases.map(({ id }) => [id, this.#button(id)]));
    this.list.replaceChildren(...Array.from(this.#buttons.values(), inItem));
    cases.forEach((each) => this.#mark(each));
    this.#count();
  }

  get openCount() {
    return this.#cases.filter(({ answered }) => !answered).length;
  }

  isAnswered(id) {
    return this.#cases.some((each) => each.id === id && each.answered);
  }

  markAnswered(id) {
    const found = this.#cases.find((each) => each.id === id);
    found.answered = true;
    this.#mark(found);
    this.#count();
  }

  markCurrent(id) {
    for (const [key, button] of this.#buttons) {
      if (key === id) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    this.#buttons.get(id).scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** The next open case after one, from the start again at the end; undefined if no other is open. */
  nextOpen(id) {
    const at = this.#cases.findIndex((each) => each.id === id);
    const order = [...this.#cases.slice(at + 1), ...this.#cases.slice(0, Math.max(0, at))];
    return order.find(({ answered }) => !answered)?.id;
  }

  /** The case that many places further on in the list, undefined beyond its ends. */
  neighbour(id, step) {
    return this.#cases[this.#cases.findIndex((each) => each.id === id) + step]?.id;
  }

  get first() {
    return this.nextOpen() ?? this.#cases[0]?.id;
  }

  #button(id) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(id, document.createElement("span"));
    button.addEventListener("click", () => this.choose(id));
    return button;
  }

  #mark({ id, answered }) {
    const button = this.#buttons.get(id);
    button.classList.toggle("answered", answered);
    button.querySelector("span").textContent = answered ? "done" : "open";
  }

  #count() {
    this.progress.textContent = `${this.openCount} of ${this.#cases.length} open`;
  }
}

function inItem(button) {
  const item = document.createElement("li");
  item.append(button);
  return item;
}

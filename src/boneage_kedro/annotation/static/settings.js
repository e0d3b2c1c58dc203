// What the person has chosen; a change is told by the event "change".

export const BRUSH_PX = { least: 1, most: 300 }; // diameter, in pixels of the radiograph
const CHOICES = {
  tool: "brush", // or polygon, move
  mode: "add", // or erase
  label: 1, // code of the class that is drawn
  brush: 24,
  overlay: true,
  fill: 30, // opacity of the mask, percent
  brightness: 0, // of the display only, -100 to 100
  contrast: 0,
};

export class Settings extends EventTarget {
  #values = { ...CHOICES };

  get(name) {
    return this.#values[name];
  }

  set(name, value) {
    this.#values[name] = value;
    this.dispatchEvent(new Event("change"));
  }

  resizeBrush(factor) {
    const size = this.get("brush") * factor;
    const rounded = factor > 1 ? Math.ceil(size) : Math.floor(size);
    this.set("brush", Math.min(BRUSH_PX.most, Math.max(BRUSH_PX.least, rounded)));
  }

  /** The code to draw with: that of the class, or 0 to erase, as the far end of a pen always does. */
  code(eraser = false) {
    return eraser || this.get("mode") === "erase" ? 0 : this.get("label");
  }
}

// Where the picture lies on the screen: image points times `scale` plus (`x`, `y`) are CSS pixels of the stage.

const MARGIN = 16;
const LARGEST_SCALE = 40;
const KEPT_IN_SIGHT = 48; // pixels of the picture that panning cannot push out

export class View {
  scale = 1;
  x = 0;
  y = 0;
  #image = { width: 1, height: 1 };
  #stage = { width: 1, height: 1 };
  #fitted = true;

  show(width, height) {
    this.#image = { width, height };
    this.fit();
  }

  /** The stage has another size: a fitted picture is fitted again, any other stays where it is. */
  resize(width, height) {
    this.#stage = { width, height };
    if (this.#fitted) this.fit();
    else this.#keepInSight();
  }

  fit() {
    this.scale = this.#fittingScale();
    this.x = (this.#stage.width - this.scale * this.#image.width) / 2;
    this.y = (this.#stage.height - this.scale * this.#image.height) / 2;
    this.#fitted = true;
  }

  /** Zoom so that what lies at (x, y) on the stage stays there; the middle if left out. */
  zoom(factor, x = this.#stage.width / 2, y = this.#stage.height / 2) {
    const scale = Math.min(LARGEST_SCALE, Math.max(this.#fittingScale() / 2, this.scale * factor));
    this.x = x + ((this.x - x) * scale) / this.scale;
    this.y = y + ((this.y - y) * scale) / this.scale;
    this.scale = scale;
    this.#moved();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.#moved();
  }

  toImage({ x, y }) {
    return { x: (x - this.x) / this.scale, y: (y - this.y) / this.scale };
  }

  #fittingScale() {
    const room = (side) => Math.max(1, this.#stage[side] - 2 * MARGIN) / this.#image[side];
    return Math.min(LARGEST_SCALE, room("width"), room("height"));
  }

  #moved() {
    this.#fitted = false;
    this.#keepInSight();
  }

  #keepInSight() {
    const kept = (at, side) =>
      Math.min(this.#stage[side] - KEPT_IN_SIGHT, Math.max(KEPT_IN_SIGHT - this.scale * this.#image[side], at));
    this.x = kept(this.x, "width");
    this.y = kept(this.y, "height");
  }
}

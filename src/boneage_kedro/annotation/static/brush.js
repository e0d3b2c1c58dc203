// The brush: a round stroke along the way of the pointer.

import { colour } from "./colours.js";
import { stroke } from "./raster.js";

export class Brush {
  #at = null; // where the stroke under way has come to
  #code = 0;
  #hover = null;

  constructor(desk, settings) {
    this.desk = desk;
    this.settings = settings;
  }

  down(point, { eraser }) {
    this.#code = this.settings.code(eraser);
    this.desk.drawing.begin();
    this.#at = point;
    this.move([point]);
  }

  move(points) {
    for (const point of points) {
      this.desk.drawing.paint(stroke(this.#at, point, this.#radius), this.#code);
      this.#at = this.#hover = point;
    }
  }

  up() {
    this.desk.drawing.end();
  }

  cancel() {
    this.desk.drawing.cancel();
  }

  hover(point) {
    this.#hover = point;
  }

  draw(context, scale) {
    if (!this.#hover) return;
    const circle = new Path2D();
    circle.arc(this.#hover.x, this.#hover.y, this.#radius, 0, 2 * Math.PI);
    const code = this.settings.code();
    for (const [width, style] of [[3, "rgb(0 0 0 / 0.6)"], [1.25, code ? colour(code) : "white"]]) {
      context.lineWidth = width / scale;
      context.strokeStyle = style;
      context.stroke(circle);
    }
  }

  get #radius() {
    return this.settings.get("brush") / 2;
  }
}

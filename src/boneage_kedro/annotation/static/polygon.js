// The polygon: clicks set corners, dragging draws freehand, corners can be moved until it is closed.

import { colour } from "./colours.js";
import { polygon } from "./raster.js";

const REACH_PX = { mouse: 9, pen: 12, touch: 22 }; // how near a corner the pointer takes hold of it
const FREEHAND_STEP_PX = 6;
const FEWEST = 3;

export class Polygon {
  #corners = [];
  #held = -1; // the corner that is being moved
  #before = []; // the corners before the press under way
  #freehand = false;
  #hover = null;

  constructor(desk, settings) {
    this.desk = desk;
    this.settings = settings;
  }

  get isOpen() {
    return this.#corners.length > 0;
  }

  down(point, { kind, scale }) {
    this.#before = [...this.#corners];
    this.#freehand = false;
    this.#held = this.#near(point, REACH_PX[kind] / scale);
    if (this.#held < 0) this.#corners.push(point);
  }

  move(points, { scale }) {
    for (const point of points) {
      if (this.#held >= 0) this.#moveHeld(point, FREEHAND_STEP_PX / scale);
      else if (distance(point, this.#corners.at(-1)) >= FREEHAND_STEP_PX / scale) this.#follow(point);
    }
    this.#hover = points.at(-1);
  }

  up({ kind, scale }) {
    const clickedFirst = this.#held === 0 && this.#corners[0] === this.#before[0];
    const home = this.#freehand && distance(this.#corners[0], this.#corners.at(-1)) < REACH_PX[kind] / scale;
    this.#held = -1;
    if ((clickedFirst || home) && this.#corners.length >= FEWEST) this.finish();
  }

  cancel() {
    this.#corners = this.#before;
    this.#held = -1;
  }

  hover(point) {
    this.#hover = point;
  }

  /** Close the polygon and fill it; one of too few corners has no area, and just goes. */
  finish() {
    if (this.#corners.length >= FEWEST) this.#fill();
    this.drop();
  }

  drop() {
    this.#corners = [];
  }

  removeLast() {
    this.#corners.pop();
  }

  draw(context, scale) {
    if (!this.isOpen) return;
    const line = new Path2D();
    const end = this.#hover && this.#held < 0 ? [this.#hover] : [];
    for (const { x, y } of [...this.#corners, ...end]) line.lineTo(x, y);
    const code = this.settings.code();
    const style = code ? colour(code) : "white";
    for (const [width, stroke] of [[4, "rgb(0 0 0 / 0.6)"], [1.75, style]]) {
      context.lineWidth = width / scale;
      context.strokeStyle = stroke;
      context.stroke(line);
    }
    this.#corners.forEach((corner, at) => dot(context, corner, (at ? 3.5 : 6) / scale, at ? "white" : style, scale));
  }

  /** The corner within reach of a point, the first one before others; -1 if none is. */
  #near(point, reach) {
    return this.#corners.findIndex((corner) => distance(corner, point) < reach);
  }

  /** A corner moves once the pointer has left its place for good: a click on it is no move. */
  #moveHeld(point, step) {
    const corner = this.#corners[this.#held];
    const still = corner === this.#before[this.#held];
    if (!still || distance(point, corner) >= step) this.#corners[this.#held] = point;
  }

  #fill() {
    const { drawing } = this.desk;
    drawing.begin();
    drawing.paint(polygon(this.#corners), this.settings.code());
    drawing.end();
  }

  #follow(point) {
    this.#freehand = true;
    this.#corners.push(point);
  }
}

function distance(a, b) {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function dot(context, { x, y }, radius, style, scale) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = style;
  context.fill();
  context.lineWidth = 1 / scale;
  context.strokeStyle = "rgb(0 0 0 / 0.8)";
  context.stroke();
}

// A mask as it is shown: a translucent fill and an outline in the colour of each class.

import { colour, fillTable } from "./colours.js";
import { Outline } from "./outline.js";

const HALO = "rgb(0 0 0 / 0.55)"; // keeps the outline visible on bright bone
const [HALO_PX, LINE_PX] = [3.5, 1.5];

export class Overlay {
  #fill;
  #outline;

  constructor(mask) {
    this.mask = mask;
    this.#fill = new OffscreenCanvas(mask.width, mask.height);
    this.#outline = new Outline(mask);
    this.#tint(mask.whole);
  }

  update(rect) {
    this.#tint(rect);
    this.#outline.update(rect);
  }

  /** Draw in image coordinates, which the context is set to; `scale` is that of the view. */
  draw(context, scale, opacity) {
    context.globalAlpha = opacity;
    context.imageSmoothingEnabled = scale < 1;
    context.drawImage(this.#fill, 0, 0);
    context.globalAlpha = 1;
    this.#stroke(context, HALO_PX / scale, () => HALO);
    this.#stroke(context, LINE_PX / scale, colour);
  }

  #stroke(context, width, colourOf) {
    context.lineWidth = width;
    context.lineCap = "round";
    this.#outline.forEach((code, path) => {
      context.strokeStyle = colourOf(code);
      context.stroke(path);
    });
  }

  #tint({ x0, y0, x1, y1 }) {
    const tinted = new ImageData(x1 - x0, y1 - y0);
    const pixels = new Uint32Array(tinted.data.buffer);
    const { codes, width } = this.mask;
    let at = 0;
    for (let y = y0; y < y1; y++) {
      for (let x = x0; x < x1; x++) pixels[at++] = fillTable[codes[y * width + x]];
    }
    this.#fill.getContext("2d").putImageData(tinted, x0, y0);
  }
}

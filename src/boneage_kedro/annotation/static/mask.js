// The pixels of a mask: the code of a class in each, 0 is background.

import { isEmpty, NOTHING, union } from "./rect.js";

export class Mask {
  constructor({ codes, width, height }) {
    Object.assign(this, { codes, width, height });
  }

  static empty(width, height) {
    return new Mask({ codes: new Uint8Array(width * height), width, height });
  }

  get whole() {
    return { x0: 0, y0: 0, x1: this.width, y1: this.height };
  }

  /** The code at a pixel; outside of the picture all is background. */
  at(x, y) {
    return x < 0 || y < 0 || x >= this.width || y >= this.height ? 0 : this.codes[y * this.width + x];
  }

  /** Give a shape of `raster.js` a code; returns the box that it lies in. */
  paint(shape, code) {
    let touched = NOTHING;
    shape((y, from, to) => {
      const run = { x0: Math.max(0, from), y0: y, x1: Math.min(this.width, to), y1: y + 1 };
      if (y < 0 || y >= this.height || isEmpty(run)) return;
      this.codes.fill(code, y * this.width + run.x0, y * this.width + run.x1);
      touched = union(touched, run);
    });
    return touched;
  }

  /** Exchange the pixels of a patch `{ rect, codes }` with those under it. */
  swap(patch) {
    const under = crop(this.codes, this.width, patch.rect);
    paste(this.codes, this.width, patch);
    patch.codes = under;
  }
}

/** The pixels of a box, row by row, from a picture of that width. */
export function crop(codes, width, { x0, y0, x1, y1 }) {
  const part = new Uint8Array((x1 - x0) * (y1 - y0));
  for (let y = y0; y < y1; y++) part.set(codes.subarray(y * width + x0, y * width + x1), (y - y0) * (x1 - x0));
  return part;
}

function paste(codes, width, { rect: { x0, y0, x1, y1 }, codes: part }) {
  const columns = x1 - x0;
  for (let y = y0; y < y1; y++) {
    codes.set(part.subarray((y - y0) * columns, (y - y0 + 1) * columns), y * width + x0);
  }
}

// The outline of a mask as paths along the edges of its pixels, sharp at any zoom. The paths are kept by tiles, so
// that a stroke of the brush renews those under it only.

const TILE = 256;

export class Outline {
  #tiles = new Map();

  constructor(mask) {
    this.mask = mask;
    this.update(mask.whole);
  }

  /** Find the edges anew where pixels in a box have changed; they also lie on its right and lower side. */
  update({ x0, y0, x1, y1 }) {
    for (let row = Math.floor(y0 / TILE); row <= Math.floor(y1 / TILE); row++) {
      for (let column = Math.floor(x0 / TILE); column <= Math.floor(x1 / TILE); column++) {
        this.#tiles.set(`${row} ${column}`, tilePaths(this.mask, column * TILE, row * TILE));
      }
    }
  }

  /** Call `visit(code, path)` for every path, in image coordinates. */
  forEach(visit) {
    for (const paths of this.#tiles.values()) paths.forEach((path, code) => visit(code, path));
  }
}

/** Paths by code: the upper and the left edges of the tile's pixels, and of those just outside of the picture. */
function tilePaths(mask, x0, y0) {
  const paths = new Map();
  const path = (code) => paths.get(code) ?? paths.set(code, new Path2D()).get(code);
  const x1 = Math.min(x0 + TILE, mask.width + 1);
  const y1 = Math.min(y0 + TILE, mask.height + 1);
  for (let y = y0; y < y1; y++) {
    const edge = (x) => edgeCode(mask.at(x, y), mask.at(x, y - 1));
    runs(x0, x1, edge, (code, from, to) => line(path(code), from, y, to, y));
  }
  for (let x = x0; x < x1; x++) {
    const edge = (y) => edgeCode(mask.at(x, y), mask.at(x - 1, y));
    runs(y0, y1, edge, (code, from, to) => line(path(code), x, from, x, to));
  }
  return paths;
}

function edgeCode(here, there) {
  return here === there ? 0 : here || there;
}

function runs(from, to, codeAt, visit) {
  let start = from;
  let code = 0;
  for (let at = from; at <= to; at++) {
    const next = at < to ? codeAt(at) : 0;
    if (next === code) continue;
    if (code) visit(code, start, at);
    start = at;
    code = next;
  }
}

function line(path, x0, y0, x1, y1) {
  path.moveTo(x0, y0);
  path.lineTo(x1, y1);
}

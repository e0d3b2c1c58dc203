// Boxes of whole pixels: x0 and y0 are inside, x1 and y1 are not.

export const NOTHING = Object.freeze({ x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity });

export function isEmpty({ x0, y0, x1, y1 }) {
  return x0 >= x1 || y0 >= y1;
}

export function union(a, b) {
  return {
    x0: Math.min(a.x0, b.x0),
    y0: Math.min(a.y0, b.y0),
    x1: Math.max(a.x1, b.x1),
    y1: Math.max(a.y1, b.y1),
  };
}

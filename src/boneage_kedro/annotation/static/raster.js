// Shapes to pixels: a pixel belongs to a shape if its centre does. A shape is a function that calls
// `fill(y, from, to)` for its runs, `to` not included; runs may lie outside of the picture.

/** A polygon of image points `{ x, y }`; where it crosses itself, what is wound around counts as inside. */
export function polygon(points) {
  return (fill) => {
    const ys = points.map((point) => point.y);
    for (let y = Math.floor(Math.min(...ys)); y <= Math.max(...ys); y++) fillRow(points, y, fill);
  };
}

function fillRow(points, y, fill) {
  let winding = 0;
  let from = 0;
  for (const { x, turn } of crossings(points, y + 0.5)) {
    if (winding === 0) from = x;
    winding += turn;
    if (winding === 0) fill(y, Math.ceil(from - 0.5), Math.ceil(x - 0.5));
  }
}

function crossings(points, level) {
  const found = [];
  points.forEach((a, at) => {
    const b = points[(at + 1) % points.length];
    if (a.y <= level === b.y <= level) return;
    found.push({ x: a.x + ((level - a.y) / (b.y - a.y)) * (b.x - a.x), turn: a.y < b.y ? 1 : -1 });
  });
  return found.sort((a, b) => a.x - b.x);
}

/** What a round brush covers on its way from a to b. */
export function stroke(a, b, radius) {
  const reach = Math.max(radius, Math.SQRT1_2); // wherever it is put, it meets a pixel's centre
  const [left, right] = [Math.min(a.x, b.x) - reach, Math.max(a.x, b.x) + reach];
  const [top, bottom] = [Math.min(a.y, b.y) - reach, Math.max(a.y, b.y) + reach];
  return (fill) => {
    for (let y = Math.floor(top); y <= bottom; y++) {
      let [from, to] = [Math.floor(left), Math.ceil(right)];
      while (from < to && !covered(a, b, reach, from, y)) from++;
      while (from < to && !covered(a, b, reach, to - 1, y)) to--;
      fill(y, from, to);
    }
  };
}

function covered(a, b, reach, column, row) {
  const [x, y] = [column + 0.5 - a.x, row + 0.5 - a.y];
  const [alongX, alongY] = [b.x - a.x, b.y - a.y];
  const length = alongX ** 2 + alongY ** 2;
  const part = length ? Math.min(1, Math.max(0, (x * alongX + y * alongY) / length)) : 0;
  return (x - part * alongX) ** 2 + (y - part * alongY) ** 2 <= reach ** 2;
}

// The figures beside the picture: its histogram, and its mean and contrast beside those of the saved.

import { measure } from "./tone.js";

const MUCH_CLIPPED = 0.05; // from here on a part is marked
const SMOOTHED = 3; // levels to either side: a steeper contrast leaves gaps between them
const histogram = document.getElementById("histogram");
const [means, contrasts, blacks, whites] = Array.from(document.getElementById("levels").rows, (row) => row.cells);

/** Counts of gray levels within the hand, as it was and as it is set; `gold` is the average of the saved. */
export function showMeasures(before, after, gold) {
  drawHistogram(before, after);
  [before, after].forEach((counts, at) => {
    const { mean, contrast, black, white } = measure(counts);
    means[at + 1].textContent = mean.toFixed(0);
    contrasts[at + 1].textContent = contrast.toFixed(0);
    showPart(blacks[at + 1], black);
    showPart(whites[at + 1], white);
  });
  showGold(gold);
}

export function showGold({ count, mean, contrast }) {
  document.getElementById("gold-count").textContent = `Saved (${count})`;
  means[3].textContent = count ? spreadOf(mean) : "";
  contrasts[3].textContent = count ? spreadOf(contrast) : "";
}

function showPart(cell, part) {
  cell.textContent = `${(100 * part).toFixed(1)} %`;
  cell.classList.toggle("much", part > MUCH_CLIPPED);
}

function spreadOf({ average, spread }) {
  return `${average.toFixed(0)} ± ${spread.toFixed(1)}`;
}

/** What is black or white stands in the table, and would dwarf the rest here. */
function drawHistogram(before, after) {
  const { width, height } = histogram;
  const context = histogram.getContext("2d");
  const curves = [before, after].map((counts) => smoothed(counts.subarray(2, 255)));
  const scale = height / Math.max(1, ...curves.flat());
  const paths = curves.map((curve) => outline(curve, width, height, scale));
  context.clearRect(0, 0, width, height);
  context.fillStyle = colourOf("--line");
  context.fill(paths[0]);
  context.strokeStyle = colourOf("--accent");
  context.lineWidth = 3;
  context.stroke(paths[1]);
}

function smoothed(counts) {
  return Array.from(counts, (_, level) => {
    const around = counts.subarray(Math.max(0, level - SMOOTHED), level + SMOOTHED + 1);
    return around.reduce((sum, count) => sum + count, 0) / around.length;
  });
}

function outline(curve, width, height, scale) {
  const path = new Path2D();
  path.moveTo(0, height);
  curve.forEach((count, level) => path.lineTo(((level + 0.5) * width) / curve.length, height - scale * count));
  path.lineTo(width, height);
  return path;
}

function colourOf(name) {
  return getComputedStyle(histogram).getPropertyValue(name);
}

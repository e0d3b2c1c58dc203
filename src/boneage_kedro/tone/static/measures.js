// The figures beside the picture: its histogram, and its mean and contrast beside those of the saved.

import { measure } from "./tone.js";

const histogram = document.getElementById("histogram");
const [means, contrasts, clipped] = Array.from(document.getElementById("levels").rows, (row) => row.cells);

/** Counts of gray levels within the hand, as it was and as it is set; `gold` is the average of the saved. */
export function showMeasures(before, after, gold) {
  drawHistogram(before, after);
  [before, after].forEach((counts, at) => {
    const level = measure(counts);
    means[at + 1].textContent = level.mean.toFixed(0);
    contrasts[at + 1].textContent = level.contrast.toFixed(0);
    clipped[at + 1].textContent = `${(100 * level.clipped).toFixed(1)} %`;
  });
  showGold(gold);
}

export function showGold({ count, mean, contrast }) {
  document.getElementById("gold-count").textContent = `Saved (${count})`;
  means[3].textContent = count ? spreadOf(mean) : "";
  contrasts[3].textContent = count ? spreadOf(contrast) : "";
}

function spreadOf({ average, spread }) {
  return `${average.toFixed(0)} ± ${spread.toFixed(0)}`;
}

/** Levels 2 to 254: what is clipped stands in the table, and would dwarf the rest here. */
function drawHistogram(before, after) {
  const { width, height } = histogram;
  const context = histogram.getContext("2d");
  const style = getComputedStyle(histogram);
  const most = Math.max(1, ...before.subarray(2, 255), ...after.subarray(2, 255));
  context.clearRect(0, 0, width, height);
  for (const [counts, colour] of [[before, "--line"], [after, "--accent"]]) {
    context.fillStyle = style.getPropertyValue(colour);
    for (let level = 2; level < 255; level++) {
      const tall = (height * counts[level]) / most;
      context.fillRect(level - 2, height - tall, 1, colour === "--line" ? tall : Math.min(tall, 2));
    }
  }
}

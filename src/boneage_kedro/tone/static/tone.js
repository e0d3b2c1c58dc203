// The formula of imaging/contrast/tone.py, number by number, so that the gold is what was seen. The hand is all that is not 0.

export const UNCHANGED = Object.freeze({ brightness: 0, contrast: 0, sharpness: 0 });
const WHITE = 255;
const SMALLEST = 1e-6;
const MATCHING_STEPS = 6; // clipping bends the way to the goal, so it is gone in steps

/** Gray levels after the change of tone, into `toned`, a Uint8ClampedArray: it rounds as numpy does, and clips. */
export function applyTone({ gray, smooth, mean }, { brightness, contrast, sharpness }, toned) {
  const gain = 4 ** (contrast / 100);
  const shift = mean + (WHITE * brightness) / 100;
  const sharpening = sharpness / 50;
  for (let at = 0; at < gray.length; at++) {
    const level = gray[at];
    if (level === 0) toned[at] = 0;
    else toned[at] = Math.max(1, gain * (level + sharpening * (level - smooth[at]) - mean) + shift);
  }
}

/** How many pixels have each gray level; those of the background, level 0, do not count. */
export function countLevels(gray) {
  const counts = new Uint32Array(WHITE + 1);
  for (const level of gray) counts[level]++;
  counts[0] = 0;
  return counts;
}

/** Mean, contrast (the standard deviation), and the parts that are clipped to black and to white, within the hand. */
export function measure(counts) {
  let [pixels, sum, squares] = [0, 0, 0];
  counts.forEach((count, level) => {
    pixels += count;
    sum += count * level;
    squares += count * level * level;
  });
  const mean = sum / pixels;
  const contrast = Math.sqrt(Math.max(0, squares / pixels - mean * mean));
  return { mean, contrast, black: counts[1] / pixels, white: counts[WHITE] / pixels };
}

/** Settings that bring a hand to the mean and contrast of the `goal`, as near as clipping lets it. */
export function matchLevel(pixels, settings, goal) {
  const toned = new Uint8ClampedArray(pixels.gray.length);
  let { brightness, contrast } = settings;
  for (let step = 0; step < MATCHING_STEPS; step++) {
    applyTone(pixels, { ...settings, brightness, contrast }, toned);
    const reached = measure(countLevels(toned));
    const gain = Math.max(SMALLEST, goal.contrast) / Math.max(SMALLEST, reached.contrast);
    contrast = within(contrast + (100 * Math.log(gain)) / Math.log(4));
    brightness = within(brightness + (100 * (goal.mean - reached.mean)) / WHITE);
  }
  return { ...settings, brightness: Math.round(brightness), contrast: Math.round(contrast) };
}

function within(value) {
  return Math.min(100, Math.max(-100, value));
}

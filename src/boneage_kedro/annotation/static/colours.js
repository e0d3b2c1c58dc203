// The colours of the classes, told apart also by people who are colour blind.

const COLOURS = ["#4cc9f0", "#ffb000", "#f072b6", "#8fe388", "#b197fc", "#ff7f50"];

export function colour(code) {
  return COLOURS[(code - 1) % COLOURS.length];
}

/** RGBA by code as the bytes of an ImageData; 0, the background, is transparent. */
export const fillTable = new Uint32Array(256);
for (let code = 1; code < 256; code++) {
  const channels = colour(code).match(/[0-9a-f]{2}/g).map((pair) => parseInt(pair, 16));
  fillTable[code] = new Uint32Array(Uint8Array.of(...channels, 255).buffer)[0];
}

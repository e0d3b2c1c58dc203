// 8-bit gray PNG, both ways. Masks never pass through a canvas: browsers that guard against fingerprinting change the
// pixels they give back, and a canvas can write colour only.

const MAGIC = [137, 80, 78, 71, 13, 10, 26, 10];
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  return sum;
});

/** Encode codes (one byte a pixel, row by row) as PNG bytes. */
export async function encodeGray({ codes, width, height }) {
  const rows = new Uint8Array(height * (width + 1)); // each row begins with its filter, 0: none
  for (let y = 0; y < height; y++) rows.set(codes.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const header = new Uint8Array(13);
  const fields = new DataView(header.buffer);
  fields.setUint32(0, width);
  fields.setUint32(4, height);
  header[8] = 8; // bits; colour type, compression, filter and interlace are 0
  const pixels = await through(new CompressionStream("deflate"), rows);
  const chunks = [chunk("IHDR", header), chunk("IDAT", pixels), chunk("IEND", new Uint8Array())];
  return joined([Uint8Array.from(MAGIC), ...chunks]);
}

/** Decode PNG bytes to `{ codes, width, height }`; any filter, but 8-bit gray without interlace only. */
export async function decodeGray(png) {
  if (MAGIC.some((byte, at) => png[at] !== byte)) throw new Error("The mask is no PNG file.");
  const fields = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const [width, height] = [fields.getUint32(16), fields.getUint32(20)];
  const [bits, colour, , , interlaced] = png.subarray(24, 29);
  if (bits !== 8 || colour !== 0 || interlaced) throw new Error("The mask is no 8-bit gray PNG.");
  const rows = await through(new DecompressionStream("deflate"), joined(pixelChunks(png, fields)));
  return { codes: unfiltered(rows, width, height), width, height };
}

function pixelChunks(png, fields) {
  const found = [];
  for (let at = MAGIC.length; at < png.length; at += 12 + fields.getUint32(at)) {
    const kind = String.fromCharCode(...png.subarray(at + 4, at + 8));
    if (kind === "IDAT") found.push(png.subarray(at + 8, at + 8 + fields.getUint32(at)));
  }
  return found;
}

function unfiltered(rows, width, height) {
  const codes = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (width + 1)];
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const left = x ? codes[at - 1] : 0;
      const up = y ? codes[at - width] : 0;
      const corner = x && y ? codes[at - width - 1] : 0;
      codes[at] = rows[at + y + 1] + predicted(filter, left, up, corner);
    }
  }
  return codes;
}

function predicted(filter, left, up, corner) {
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  return filter === 4 ? paeth(left, up, corner) : 0;
}

function paeth(left, up, corner) {
  const [toLeft, toUp, toCorner] = [left, up, corner].map((value) => Math.abs(left + up - corner - value));
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

function chunk(kind, content) {
  const bytes = new Uint8Array(12 + content.length);
  const fields = new DataView(bytes.buffer);
  fields.setUint32(0, content.length);
  bytes.set(Array.from(kind, (letter) => letter.charCodeAt(0)), 4);
  bytes.set(content, 8);
  fields.setUint32(8 + content.length, checksum(bytes.subarray(4, 8 + content.length)));
  return bytes;
}

function checksum(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = CRC_TABLE[(sum ^ byte) & 255] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

async function through(transform, bytes) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(transform)).arrayBuffer());
}

function joined(parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

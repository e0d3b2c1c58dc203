// Requests to the server.

import { requests } from "./shared/requests.js";

const ask = requests("The server does not answer. Start `make tone` again, then repeat: what is set here is not lost.");

export async function fetchSheet() {
  return (await ask("api/sheet")).json();
}

/** The gray levels of a picture and the same smoothed, row by row. */
export async function fetchPixels(id) {
  const [gray, smooth] = await Promise.all(["gray", "smooth"].map((kind) => fetchBytes(id, kind)));
  return { gray: new Uint8Array(gray), smooth: new Float32Array(smooth) };
}

/** Make the pair of a picture; how it was made is returned. */
export async function saveSettings(id, settings) {
  const body = JSON.stringify(settings);
  return (await ask(address(id, "settings"), { method: "PUT", body, headers: { "Content-Type": "application/json" } })).json();
}

/** `revision` makes the browser ask again. */
export function thumbnailAddress(id, revision) {
  return `${address(id, "thumbnail.png")}?${revision}`;
}

async function fetchBytes(id, kind) {
  return (await ask(address(id, kind))).arrayBuffer();
}

function address(id, file) {
  return `api/pictures/${encodeURIComponent(id)}/${file}`;
}

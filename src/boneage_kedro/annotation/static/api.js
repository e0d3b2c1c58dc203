// Requests to the server.

import { requests } from "./shared/requests.js";

const ask = requests("The server does not answer. Start `make annotate` again, then repeat: nothing drawn here is lost.");

export async function fetchQueue() {
  return (await ask("api/queue")).json();
}

export async function fetchPicture(id) {
  const content = await (await ask(address(id, "picture.png"))).blob();
  try {
    return await createImageBitmap(content);
  } catch {
    throw new Error(`The radiograph ${id} cannot be shown: its file is no PNG or is damaged.`);
  }
}

/** Fetch `mask.png` (the person's answer, else the proposal) or `proposal.png`, as bytes. */
export async function fetchMask(id, file) {
  return new Uint8Array(await (await ask(address(id, file))).arrayBuffer());
}

export async function saveMask(id, png) {
  await ask(address(id, "mask.png"), { method: "PUT", body: png, headers: { "Content-Type": "image/png" } });
}

function address(id, file) {
  return `api/cases/${encodeURIComponent(id)}/${file}`;
}

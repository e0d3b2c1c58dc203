// The reading on the page.

import { shortAge, signed } from "./words.js";

const element = (id) => document.getElementById(id);
const SEXES = { F: "girl", M: "boy" };
const STATUSES = { ok: "Read", indeterminate: "Indeterminate: not to be relied on" };

export function hideReading() {
  element("reading").hidden = true;
  element("empty").hidden = false;
}

/** Show an answer of the service. */
export async function showReading(answer) {
  const pictures = await decode(answer.overlay_png);
  element("status").textContent = STATUSES[answer.status];
  element("status").dataset.status = answer.status;
  element("bone-age").textContent = answer.bone_age_text;
  element("interval-name").textContent = `${Math.round(100 * answer.interval_coverage)}% interval`;
  element("interval").textContent = `${shortAge(answer.lower_months)} to ${shortAge(answer.upper_months)}`;
  element("score-row").hidden = answer.chronological_age_months === null;
  element("score").textContent = scoreInWords(answer);
  element("sex-read").textContent = SEXES[answer.sex];
  element("file-read").textContent = answer.id;
  element("network").textContent = `Network ${answer.network}. Research use only.`;
  element("warnings").replaceChildren(...answer.warning_list.map(item));
  const side = pictures.width / 2;
  draw(element("picture"), pictures, 0, side);
  draw(element("map"), pictures, side, side);
  element("empty").hidden = true;
  element("reading").hidden = false;
}

function item(text) {
  const line = document.createElement("li");
  line.textContent = text;
  return line;
}

function scoreInWords(answer) {
  if (answer.sd_score === null) return "the standards have no such age";
  return `${signed(answer.sd_score)} SD at ${shortAge(answer.chronological_age_months)} (${answer.determination})`;
}

/** The picture of a base64 PNG; a data address would need a wider policy for pictures. */
function decode(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return createImageBitmap(new Blob([bytes], { type: "image/png" }));
}

function draw(canvas, pictures, left, side) {
  canvas.width = side;
  canvas.height = pictures.height;
  canvas.getContext("2d").drawImage(pictures, left, 0, side, pictures.height, 0, 0, side, pictures.height);
}

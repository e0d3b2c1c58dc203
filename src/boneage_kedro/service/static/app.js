// The page: a file and a sex in, the reading out. What is shown always belongs to what is chosen.

import { assess } from "./api.js";
import { hideReading, showReading } from "./reading.js";
import { hideMessage, showState, telling } from "./shared/messages.js";

const element = (id) => document.getElementById(id);
const form = element("case");
let file;
let asked = 0; // an answer to anything but the last question is let go

/** Another file is of another child: sex and age must be given again. */
function take(chosen) {
  if (!chosen) return;
  form.reset();
  file = chosen;
  element("name").textContent = file.name;
  element("hint").textContent = "drop or choose another";
  element("drop").classList.add("full");
  change();
}

function change() {
  asked++;
  hideMessage();
  hideReading();
  showState("proposal", "");
  const wanted = missing();
  element("read").disabled = Boolean(wanted.length);
  element("wanted").textContent = wanted.length ? `Still needed: ${wanted.join(" and ")}.` : "";
}

function missing() {
  const wanted = [];
  if (!file) wanted.push("a radiograph");
  if (!sex()) wanted.push("the sex");
  return element("years").validity.valid && element("months").validity.valid ? wanted : [...wanted, "an age in whole years to 25 and months to 11"];
}

function sex() {
  return new FormData(form).get("sex");
}

/** The chronological age in months, or undefined when nothing is given. */
function chronologicalAge() {
  const given = [element("years").value, element("months").value];
  return given.some(Boolean) ? 12 * Number(given[0]) + Number(given[1]) : undefined;
}

async function read(event) {
  event.preventDefault();
  const mine = ++asked;
  hideMessage();
  hideReading();
  element("read").disabled = true;
  showState("saving", "Reading …");
  await telling(async () => {
    const answer = await assess(file, sex(), chronologicalAge()).catch((error) => {
      if (mine === asked) throw error;
    });
    if (answer && mine === asked) await showReading(answer);
  });
  if (mine !== asked) return;
  showState("proposal", "");
  element("read").disabled = false;
}

function start() {
  const drop = element("drop");
  element("file").addEventListener("change", ({ target }) => take(target.files[0]));
  form.addEventListener("input", ({ target }) => target !== element("file") && change());
  form.addEventListener("submit", read);
  // a file that misses the field must not replace the page
  addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  addEventListener("dragleave", (event) => event.relatedTarget || drop.classList.remove("over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    take(event.dataTransfer.files[0]);
  });
  change();
}

start();

// The page: what belongs together is joined here.

import { fetchSheet } from "./api.js";
import { Easel } from "./easel.js";
import { KEYS } from "./keys.js";
import { showGold, showMeasures } from "./measures.js";
import { explain, listen } from "./shared/keys.js";
import { hideMessage, showMessage, showState, telling } from "./shared/messages.js";
import { Sheet } from "./sheet.js";
import { UNCHANGED } from "./tone.js";
import { Work } from "./work.js";

const ALL_DONE = "All pictures of the sheet have their gold. You can close this page.";
const ANY_TIME = new Set(["help", "next", "previous", "selectOpen", "selectNone"]);
const element = (id) => document.getElementById(id);
const sliders = Object.keys(UNCHANGED).map(element);

const work = new Work();
const easel = new Easel(element("picture"), (before, after) => showMeasures(before, after, work.gold));
const sheet = new Sheet(element("sheet"), work, (id) => open(id));
let current; // id of the picture on the easel
let saving = ""; // what the page says while it saves

const actions = {
  brightness: () => element("brightness").focus(),
  contrast: () => element("contrast").focus(),
  sharpness: () => element("sharpness").focus(),
  before: () => showBefore(!easel.showsBefore),
  actual: () => showActual(!isActual()),
  reset: () => set({ ...UNCHANGED }),
  copyLast: () => work.last && set({ ...work.last }),
  match: () => work.gold.count && set(easel.match(work.settings(current), goal())),
  save: () => save([current]),
  saveAndNext: async () => (await save([current])) && goOn(),
  next: () => open(sheet.neighbour(current, 1)),
  previous: () => open(sheet.neighbour(current, -1)),
  toggleSelected: () => sheet.toggle(current),
  selectOpen: () => sheet.select((id) => !work.isDone(id)),
  selectNone: () => sheet.select(() => false),
  applySelected: () => applySelected(),
  help: () => element("help").showModal(),
};

/** Do what a key or a button asks for; what is not about the sheet needs a picture. */
function act(name) {
  if (!saving && (ANY_TIME.has(name) || !easel.isEmpty)) actions[name]();
}

/** After a click with the mouse the keys belong to the page again, not to the button that was clicked. */
function keepKeys({ detail: clicks, target }) {
  if (clicks && target.closest("button") && !target.closest("dialog")) element("stage").focus({ preventScroll: true });
}

async function open(id) {
  if (id === undefined || id === current || saving) return;
  hideMessage();
  current = id;
  element("case").textContent = id;
  sheet.markCurrent(id);
  showBefore(false);
  showSettings();
  await telling(async () => {
    const opening = easel.open(sheet.picture(id), () => work.settings(id));
    showSaving();
    await opening;
    showActual(isActual());
  });
  showSaving();
}

function set(settings) {
  work.set(current, settings);
  showBefore(false);
}

/** Make the pairs of pictures; one that fails does not stop the others. Whether all were made is returned. */
async function save(ids, settings) {
  const problems = [];
  for (const [at, id] of ids.entries()) {
    saving = ids.length > 1 ? `Saving ${at + 1} of ${ids.length} …` : "Saving …";
    showSaving();
    try {
      await work.save(id, settings);
      sheet.renew(id);
    } catch (error) {
      problems.push(`${id} is not saved. ${error.message}`);
    }
  }
  saving = "";
  showSaving();
  if (problems.length) showMessage(problems.join("\n"));
  else hideMessage();
  return !problems.length;
}

function goOn() {
  const next = sheet.nextOpen(current);
  return next === undefined ? showMessage(ALL_DONE, "note") : open(next);
}

/** The settings of the picture on the easel for all that are selected. */
async function applySelected() {
  const { selected } = sheet;
  const done = selected.filter((id) => id !== current && (work.isDone(id) || work.isChanged(id)));
  if (!selected.length || (done.length && !(await mayReplace(done.length, selected.length)))) return;
  if (await save(selected, { ...work.settings(current) })) sheet.select(() => false);
}

function mayReplace(done, selected) {
  const dialog = element("replace");
  element("replace-title").textContent =
    `${done} of the ${selected} selected already have settings of their own. Replace them?`;
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.querySelector("form").onsubmit = ({ submitter }) => resolve(submitter.value === "replace");
    dialog.oncancel = () => resolve(false);
  });
}

function goal() {
  const { mean, contrast } = work.gold;
  return { mean: mean.average, contrast: contrast.average };
}

function showBefore(before) {
  easel.showsBefore = before;
  document.querySelector("[data-does=before]").setAttribute("aria-pressed", before);
  easel.show();
}

function isActual() {
  return element("stage").classList.contains("actual");
}

/** Show the picture's own pixels, one on each of the screen, or the whole picture. */
function showActual(actual) {
  const { canvas } = easel;
  element("stage").classList.toggle("actual", actual);
  document.querySelector("[data-does=actual]").setAttribute("aria-pressed", actual);
  canvas.style.width = actual ? `${canvas.width / devicePixelRatio}px` : "";
}

function showSettings() {
  const settings = work.settings(current);
  for (const slider of sliders) {
    slider.value = settings[slider.name];
    document.querySelector(`output[for=${slider.name}]`).value = slider.value;
  }
}

function showSaving() {
  element("progress").textContent = `${work.openCount} of ${sheet.count} open`;
  element("copyLast").disabled = !work.last;
  element("match").disabled = !work.gold.count;
  if (saving) showState("saving", saving);
  else if (easel.loading) showState("saving", "Loading …");
  else if (easel.isEmpty) showState("proposal", "");
  else if (work.isChanged(current)) showState("unsaved", "Unsaved changes");
  else if (work.isDone(current)) showState("saved", "Saved");
  else showState("proposal", "Not saved yet");
}

function showWork() {
  sheet.mark();
  showGold(work.gold);
  if (current === undefined) return;
  showSettings();
  easel.show(work.settings(current));
  showSaving();
}

function showSelection() {
  const { length: count } = sheet.selected;
  element("applySelected").disabled = !count;
  element("applySelected").textContent = count ? `Save for the ${count} selected` : "Save for the selected";
}

async function start() {
  for (const button of document.querySelectorAll("[data-does]")) {
    button.addEventListener("click", () => act(button.dataset.does));
  }
  element("panel").addEventListener("input", ({ target }) => {
    if (current !== undefined) set({ ...work.settings(current), [target.name]: Number(target.value) });
  });
  addEventListener("click", keepKeys, { capture: true });
  listen(KEYS, act, showBefore);
  explain(KEYS, element("keys"));
  work.addEventListener("change", showWork);
  sheet.addEventListener("selection", showSelection);
  addEventListener("beforeunload", (event) => work.hasChanges && event.preventDefault());
  await telling(showSheet);
}

async function showSheet() {
  const found = await fetchSheet();
  work.take(found);
  sheet.show(found.pictures);
  if (found.pictures.length) await open(sheet.first);
  if (found.problems.length) showMessage(["Left out:", ...found.problems].join("\n"));
}

start();

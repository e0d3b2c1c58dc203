// The page: what belongs together is joined here.

import { fetchQueue } from "./api.js";
import { Brush } from "./brush.js";
import { askAboutChanges } from "./changes.js";
import { Desk } from "./desk.js";
import { KEYS } from "./keys.js";
import { bind, showLabels } from "./panel.js";
import { Pointers } from "./pointers.js";
import { Polygon } from "./polygon.js";
import { Queue } from "./queue.js";
import { Settings } from "./settings.js";
import { explain, listen } from "./shared/keys.js";
import { hideMessage, showMessage, showState, telling } from "./shared/messages.js";
import { Stage } from "./stage.js";

const ZOOM_STEP = 1.25;
const BRUSH_STEP = 1.2;
const ALL_DONE = "All radiographs of the queue have a mask. You can close this page and go on with the run.";
const element = (id) => document.getElementById(id);

const settings = new Settings();
const desk = new Desk();
const brush = new Brush(desk, settings);
const polygon = new Polygon(desk, settings);
desk.tools = [polygon, brush];
const stage = new Stage(element("stage"), desk, settings);
const pointers = new Pointers(element("stage"), desk);
const queue = new Queue(element("cases"), element("progress"), (id) => moveTo(id));

const actions = {
  brush: () => settings.set("tool", "brush"),
  polygon: () => settings.set("tool", "polygon"),
  move: () => settings.set("tool", "move"),
  add: () => settings.set("mode", "add"),
  erase: () => settings.set("mode", "erase"),
  toggleMode: () => settings.set("mode", settings.get("mode") === "add" ? "erase" : "add"),
  label: (code) => document.querySelector(`input[name=label][value="${code}"]`) && settings.set("label", Number(code)),
  smaller: () => settings.resizeBrush(1 / BRUSH_STEP),
  larger: () => settings.resizeBrush(BRUSH_STEP),
  overlay: () => settings.set("overlay", !settings.get("overlay")),
  resetDisplay: () => ["brightness", "contrast"].forEach((name) => settings.set(name, 0)),
  finish: () => desk.finish(),
  drop: () => showing(() => polygon.drop()),
  removeCorner: () => showing(() => polygon.removeLast()),
  undo: () => (polygon.isOpen ? showing(() => polygon.removeLast()) : desk.drawing?.undo()),
  redo: () => desk.drawing?.redo(),
  eraseAll: () => desk.drawing && desk.eraseAll(),
  proposal: () => desk.drawing && telling(() => desk.resetToProposal()),
  fit: () => showing(() => desk.view.fit()),
  zoomIn: () => showing(() => desk.view.zoom(ZOOM_STEP)),
  zoomOut: () => showing(() => desk.view.zoom(1 / ZOOM_STEP)),
  save: () => save(),
  saveAndNext: async () => (await save()) && goOn(),
  next: () => moveTo(queue.neighbour(desk.id, 1)),
  previous: () => moveTo(queue.neighbour(desk.id, -1)),
  help: () => element("help").showModal(),
};

/** Do what a key or a button asks for, but not in the middle of a stroke. */
function act(name, ...details) {
  if (!pointers.isDown) actions[name](...details);
}

/** After a click with the mouse the keys belong to the drawing again, not to the control that was clicked. */
function keepKeys({ detail: clicks, target }) {
  const control = target.closest("button, [type=radio], [type=checkbox]");
  if (clicks && control && !target.closest("dialog")) element("stage").focus({ preventScroll: true });
}

function holdSpace(held) {
  pointers.spaceHeld = held;
  element("stage").classList.toggle("moving", held || settings.get("tool") === "move");
}

function showing(change) {
  change();
  desk.changed();
}

async function open(id) {
  hideMessage();
  element("case").textContent = id;
  queue.markCurrent(id);
  await telling(async () => {
    const problem = await desk.open(id);
    if (problem) showMessage(`${problem}\nWhat is shown instead is not saved.`);
  });
}

async function save() {
  if (!desk.drawing || desk.saving) return false;
  if (polygon.isOpen) {
    showMessage("The polygon is still open: close it with Enter or drop it with Escape, then save.");
    return false;
  }
  const { id } = desk;
  const saved = await telling(() => desk.save(), "Not saved. ");
  if (saved) {
    queue.markAnswered(id);
    hideMessage();
    showSaving();
  }
  return saved;
}

function goOn() {
  const next = queue.nextOpen(desk.id);
  return next ? moveTo(next) : showMessage(ALL_DONE, "note");
}

/** Open another radiograph once nothing unsaved is left behind. */
async function moveTo(id) {
  if (id === undefined || id === desk.id || desk.saving || pointers.isDown) return;
  if (!desk.hasUnsaved || (await mayLeave())) await open(id);
}

async function mayLeave() {
  const answer = await askAboutChanges();
  return answer === "discard" || (answer === "save" && (await save()));
}

function showSaving() {
  const { drawing, saving } = desk;
  element("undo").disabled = !(drawing?.history.canUndo || polygon.isOpen);
  element("redo").disabled = !drawing?.history.canRedo;
  element("stage").setAttribute("aria-busy", desk.loading);
  if (desk.loading) showState("saving", "Loading …");
  else if (!drawing) showState("proposal", "");
  else if (saving) showState("saving", "Saving …");
  else if (desk.hasUnsaved) showState("unsaved", "Unsaved changes");
  else if (queue.isAnswered(desk.id)) showState("saved", "Saved");
  else showState("proposal", "Proposal, not saved yet");
}

function showSettings() {
  desk.tool = { brush, polygon }[settings.get("tool")] ?? null;
  if (desk.tool !== brush) brush.hover(null);
  element("stage").dataset.tool = settings.get("tool");
  holdSpace(pointers.spaceHeld);
  stage.refresh();
}

async function start() {
  for (const button of document.querySelectorAll("[data-does]")) {
    button.addEventListener("click", () => act(button.dataset.does));
  }
  addEventListener("click", keepKeys, { capture: true });
  listen(KEYS, act, holdSpace);
  explain(KEYS, element("keys"));
  desk.addEventListener("change", () => stage.refresh());
  desk.addEventListener("change", showSaving);
  desk.addEventListener("state", showSaving);
  settings.addEventListener("change", showSettings);
  addEventListener("beforeunload", (event) => desk.hasUnsaved && event.preventDefault());
  await telling(showQueue);
}

async function showQueue() {
  const { labels, cases } = await fetchQueue();
  showLabels(element("labels"), labels);
  settings.set("label", Object.values(labels)[0]);
  bind(element("panel"), settings);
  queue.show(cases);
  if (cases.length) await open(queue.first);
  else showMessage("The queue has no radiographs.", "note");
}

start();

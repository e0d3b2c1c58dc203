// The controls beside the stage: they show the settings, and change them.

import { colour } from "./colours.js";

/** Offer the classes, if there is a choice. */
export function showLabels(parent, labels) {
  parent.hidden = Object.keys(labels).length < 2;
  for (const [name, code] of Object.entries(labels)) {
    const choice = document.createElement("label");
    const input = Object.assign(document.createElement("input"), { type: "radio", name: "label", value: code });
    const swatch = document.createElement("i");
    swatch.style.background = colour(code);
    choice.append(input, swatch, name);
    parent.append(choice);
  }
}

/** Tie every input whose name is a setting to it, both ways. */
export function bind(panel, settings) {
  panel.addEventListener("input", ({ target }) => settings.set(target.name, valueOf(target)));
  const show = () => {
    for (const input of panel.querySelectorAll("input")) showIn(input, settings.get(input.name));
    for (const output of panel.querySelectorAll("output")) output.value = settings.get(output.htmlFor[0]);
  };
  settings.addEventListener("change", show);
  show();
}

function valueOf(input) {
  if (input.type === "checkbox") return input.checked;
  return input.type === "range" || input.name === "label" ? Number(input.value) : input.value;
}

function showIn(input, value) {
  if (input.type === "checkbox") input.checked = value;
  else if (input.type === "radio") input.checked = input.value === String(value);
  else input.value = value;
}

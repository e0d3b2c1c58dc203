// The keys, once for what they do and once for the page that explains them.

const KEYS = [
  { keys: ["b"], does: "brush", says: "Brush" },
  { keys: ["p"], does: "polygon", says: "Polygon" },
  { keys: ["h"], does: "move", says: "Move the picture (or hold Space, or the right button)" },
  { keys: ["a"], does: "add", says: "Add to the mask" },
  { keys: ["e"], does: "erase", says: "Erase from the mask" },
  { keys: ["x"], does: "toggleMode", says: "Add instead of erase, and back" },
  { keys: ["[", ","], does: "smaller", says: "Smaller brush" },
  { keys: ["]", "."], does: "larger", says: "Larger brush" },
  { keys: ["Enter"], does: "finish", says: "Close the polygon (or click its first corner)" },
  { keys: ["Backspace"], does: "removeCorner", says: "Take back the polygon's last corner" },
  { keys: ["Escape"], does: "drop", says: "Drop the polygon" },
  { keys: ["Ctrl+z"], does: "undo", says: "Undo" },
  { keys: ["Ctrl+Shift+z", "Ctrl+y"], does: "redo", says: "Redo" },
  { keys: ["o"], does: "overlay", says: "Show or hide the mask" },
  { keys: ["f", "0"], does: "fit", says: "Whole picture" },
  { keys: ["+", "="], does: "zoomIn", says: "Zoom in (or turn the wheel)" },
  { keys: ["-"], does: "zoomOut", says: "Zoom out" },
  { keys: ["s", "Ctrl+s"], does: "save", says: "Save" },
  { keys: ["n"], does: "saveAndNext", says: "Save and go to the next open one" },
  { keys: ["PageDown"], does: "next", says: "Next in the list" },
  { keys: ["PageUp"], does: "previous", says: "The one before in the list" },
  { keys: ["?"], does: "help", says: "These keys" },
];
const DOES = new Map(KEYS.flatMap(({ keys, does }) => keys.map((key) => [key, does])));
const TYPING = "select, textarea, input:not([type=range]):not([type=radio]):not([type=checkbox])";
const FOR_CONTROLS = ["Enter", " "]; // a focused control takes these itself
const FOR_SLIDERS = ["PageUp", "PageDown"];

/** Call `act(name)` for the keys, `act("label", code)` for digits, and `holdSpace(held)`. */
export function listen(act, holdSpace) {
  addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || isTaken(event)) return;
    const key = keyOf(event);
    if (key === " ") holdSpace(true);
    else if (/^[1-9]$/.test(key)) act("label", Number(key));
    else if (DOES.has(key)) act(DOES.get(key));
    else return;
    event.preventDefault();
  });
  addEventListener("keyup", (event) => event.key === " " && holdSpace(false));
  addEventListener("blur", () => holdSpace(false));
}

export function explain(table) {
  for (const { keys, says } of [...KEYS, { keys: ["1", "9"], says: "Class to draw" }]) {
    const row = table.insertRow();
    keys.forEach((key, at) => {
      if (at) row.cells[0].append(key === "9" ? " … " : " ");
      else row.insertCell();
      const cap = document.createElement("kbd");
      cap.textContent = key.replace(/(^|\+)[a-z]$/, (letter) => letter.toUpperCase());
      row.cells[0].append(cap);
    });
    row.insertCell().textContent = says;
  }
}

/** "b", "Enter", "Ctrl+Shift+z"; letters by their place where the keyboard is not Latin. */
function keyOf(event) {
  const { key, code } = event;
  const latin = key.length === 1 && key > "\x7f" && code.startsWith("Key") ? code.slice(3) : key;
  const plain = latin.length === 1 ? latin.toLowerCase() : latin;
  if (event.getModifierState("AltGraph")) return plain; // Ctrl and Alt at once, for brackets on many keyboards
  if (event.altKey) return "";
  return event.ctrlKey || event.metaKey ? `Ctrl+${event.shiftKey ? "Shift+" : ""}${plain}` : plain;
}

function isTaken({ key, target }) {
  if (target.matches?.(TYPING)) return true;
  if (target.matches?.("[type=range]")) return FOR_SLIDERS.includes(key);
  return FOR_CONTROLS.includes(key) && target.matches?.("button, input");
}

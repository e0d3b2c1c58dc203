// Keys of a page, from one table for what they do and for the list that explains them.

const TYPING = "select, textarea, input:not([type=range]):not([type=radio]):not([type=checkbox])";
const FOR_CONTROLS = ["Enter", " "]; // a focused control takes these itself
const FOR_SLIDERS = ["PageUp", "PageDown"];

/**
 * Call `act(does, key)` for the keys of a table, whose rows are `{ keys, does, says }` and, for keys that are not to
 * be listed one by one, `shown`; and `holdSpace(held)`.
 */
export function listen(table, act, holdSpace) {
  const does = new Map(table.flatMap((row) => row.keys.map((key) => [key, row.does])));
  addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || isTaken(event)) return;
    const key = keyOf(event);
    if (key === " ") holdSpace(true);
    else if (does.has(key)) act(does.get(key), key);
    else return;
    event.preventDefault();
  });
  addEventListener("keyup", (event) => event.key === " " && holdSpace(false));
  addEventListener("blur", () => holdSpace(false));
}

/** List the keys in a table of the page. */
export function explain(table, element) {
  for (const { keys, shown = keys, says } of table) {
    const row = element.insertRow();
    const cell = row.insertCell();
    shown.forEach((key, at) => {
      const cap = document.createElement("kbd");
      cap.textContent = key.replace(/(^|\+)[a-z]$/, (letter) => letter.toUpperCase());
      cell.append(at ? " " : "", cap);
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

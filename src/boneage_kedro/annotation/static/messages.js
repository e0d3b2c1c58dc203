// What the page tells the person: the state of saving, and what went wrong.

const banner = document.getElementById("message");
const text = banner.querySelector("p");

banner.querySelector("button").addEventListener("click", hideMessage);

/** Show a sentence until it is closed or something else succeeds; `kind` is "error" or "note". */
export function showMessage(message, kind = "error") {
  banner.className = kind;
  text.textContent = message;
  banner.hidden = false;
}

export function hideMessage() {
  banner.hidden = true;
}

export function showState(state, words) {
  const element = document.getElementById("state");
  element.dataset.state = state;
  if (element.textContent !== words) element.textContent = words;
}

/** Ask what to do with unsaved changes: "save", "discard" or "stay". */
export function askAboutChanges() {
  const dialog = document.getElementById("unsaved");
  dialog.showModal();
  return new Promise((resolve) => {
    // not "close": that comes so late that the dialog can be open again by then
    dialog.querySelector("form").onsubmit = ({ submitter }) => resolve(submitter.value);
    dialog.oncancel = () => resolve("stay");
  });
}

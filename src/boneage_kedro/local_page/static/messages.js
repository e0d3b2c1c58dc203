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

/** Run something that may fail; the person is told, and whether it worked is returned. */
export async function telling(task, failure = "") {
  try {
    await task();
    return true;
  } catch (error) {
    showMessage(failure + error.message);
    return false;
  }
}

// The question that is asked before unsaved changes would be lost.

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

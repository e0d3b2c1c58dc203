// The keys of the page and what they do.

export const KEYS = [
  { keys: ["1"], does: "brightness", says: "To the slider of brightness; the arrows move it" },
  { keys: ["2"], does: "contrast", says: "To the slider of contrast" },
  { keys: ["3"], does: "sharpness", says: "To the slider of sharpness" },
  { keys: ["o"], does: "before", says: "Before or after (or hold Space to see it before)" },
  { keys: ["f"], does: "actual", says: "Whole picture or its own pixels" },
  { keys: ["r"], does: "reset", says: "Reset all three" },
  { keys: ["c"], does: "copyLast", says: "Copy the settings of the picture saved last" },
  { keys: ["m"], does: "match", says: "Match mean and contrast to the average of the saved" },
  { keys: ["s", "Ctrl+s"], does: "save", says: "Save" },
  { keys: ["n"], does: "saveAndNext", says: "Save and go to the next open one" },
  { keys: ["j", "PageDown"], does: "next", says: "Next on the sheet" },
  { keys: ["k", "PageUp"], does: "previous", says: "The one before on the sheet" },
  { keys: ["x"], does: "toggleSelected", says: "Select this picture, or no longer" },
  { keys: ["a"], does: "selectOpen", says: "Select all open ones" },
  { keys: ["g"], does: "applySelected", says: "Save these settings for all selected ones" },
  { keys: ["?"], does: "help", says: "These keys" },
];

// The panel of the scales over the bedside page: opened when it has arrived, closed with Escape, a tap
// outside or its button. The focus goes back to the line, which may have been replaced meanwhile.

import { openDialog } from "../dialogs.js";

const openPart = (event) => {
  const head = event.target.closest?.(".scale-head");
  const part = head && document.querySelector(head.hash);
  if (part) part.open = true;
};

export const watchScales = () => {
  document.addEventListener("click", openPart);
  const dialog = document.getElementById("scales-panel");
  if (!dialog) return;
  document.body.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
    if (target !== dialog || dialog.open) return;
    openDialog(dialog);
    document.getElementById("scales-title")?.focus();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => {
    dialog.replaceChildren();
    document.querySelector("#scales-line a")?.focus();
  });
};

// The list of keys, under "?". Escape closes it, and the time field of "as known at".

import { openDialog } from "../dialogs.js";

const dialog = document.getElementById("review-keys");
const FIELD = "input, select, textarea, dialog";

const onKey = (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  if (event.key === "?" && !event.target.closest(FIELD) && !dialog.open) {
    event.preventDefault();
    openDialog(dialog);
  }
  if (event.key !== "Escape" || dialog.open) return;
  const tool = document.querySelector("[data-key=k][open]");
  if (!tool || !event.target.closest("[data-key=k]")) return;
  tool.open = false;
  tool.querySelector("summary").focus();
};

export const watchKeys = () => {
  if (!dialog) return;
  document.addEventListener("keydown", onKey);
  document.querySelector("[data-opens-keys]")?.addEventListener("click", () => openDialog(dialog));
};

// Keyboard shortcuts. They are read from the dialog that lists them. A single key acts only outside
// fields, and not where the user has turned single keys off.

import { focusables } from "./entry_form.js";

const OFF = "crs-single-keys";
const FIELD = "input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]";

const dialog = document.getElementById("shortcuts");
export const singleKeysAreOff = () => localStorage.getItem(OFF) === "off";

// Hides the shortcuts that have no target on the page: a role that only reads has no form.
const list = () => {
  for (const row of dialog.querySelectorAll("[data-key]")) {
    row.hidden = !document.querySelector(row.dataset.opens ?? row.dataset.goesTo);
  }
  dialog.showModal();
};

const open = (selector) => {
  const found = document.querySelector(selector);
  if (found === dialog) list();
  else {
    document.activeElement?.blur(); // else a tab that has the focus keeps it
    found?.click();
  }
};

const goTo = (selector) => {
  const found = document.querySelector(selector);
  if (!found) return;
  if (found.matches("form")) {
    focusables(found)[0]?.focus();
    return;
  }
  const heading = found.querySelector("h2");
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  heading.scrollIntoView({ block: "nearest" });
  if (!isInView(heading)) heading.scrollIntoView();
};
const isInView = (element) => {
  const { top, bottom } = element.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
};

const onSingleKey = (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || singleKeysAreOff()) return;
  if (document.querySelector("dialog[open]") || event.target.matches?.(FIELD)) return;
  const key = event.key.toLowerCase();
  const row = [...dialog.querySelectorAll("[data-key]")].find((each) => each.dataset.key === key);
  if (!row) return;
  event.preventDefault();
  if (row.dataset.opens) open(row.dataset.opens);
  else goTo(row.dataset.goesTo);
};

const onEnter = (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat) return;
  const form = event.target.closest?.("form[data-entry]");
  if (!form) return;
  event.preventDefault();
  form.requestSubmit(form.querySelector("#save"));
};

const onEscape = (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || dialog?.open) return;
  const menu = document.querySelector(".row-menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  } else if (event.target.matches?.(FIELD) && event.target.closest("form[data-entry]")) {
    event.target.blur();
  }
};

const watchDialog = () => {
  const toggle = dialog.querySelector("[data-single-keys]");
  toggle.checked = !singleKeysAreOff();
  toggle.addEventListener("change", () => {
    if (toggle.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "off");
  });
  for (const button of document.querySelectorAll("[data-shortcuts]")) {
    button.hidden = false;
    button.addEventListener("click", list);
  }
  document.addEventListener("keydown", onSingleKey);
};

export const watchShortcuts = () => {
  document.addEventListener("keydown", onEnter);
  document.addEventListener("keydown", onEscape);
  if (dialog) watchDialog();
};

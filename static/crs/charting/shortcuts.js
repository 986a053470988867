// Keyboard shortcuts, and the dialog that lists them: no page needs it without this script. A single key acts only
// outside fields, and not where the user has turned single keys off.

import { openDialog } from "../dialogs.js";
import { removeStored, store, stored } from "../storage.js";
import { focusables } from "./entry_form.js";

const OFF = "crs-single-keys";
const FIELD = "input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]";

const SINGLE_KEYS = [
  { key: "?", opens: "#shortcuts", does: "This list" },
  { key: "v", opens: "#tab-vitals", does: "Chart vital signs" },
  { key: "o", opens: "#tab-oxygen", does: "Chart oxygen" },
  { key: "p", opens: "#tab-vasopressor", does: "Chart a vasopressor" },
  { key: "f", opens: "#tab-fluid_bolus", does: "Chart a fluid bolus" },
  { key: "w", opens: "#tab-weight", does: "Chart a weight" },
  { key: "l", opens: "#tab-lab", does: "Chart laboratory results" },
  { key: "s", opens: "#tab-symptom", does: "Chart symptoms" },
  { key: "x", opens: "#tab-toxicity", does: "Chart a toxicity" },
  { key: "r", opens: "#tab-treatment", does: "Chart a treatment" },
  { key: "b", opens: "#tab-baseline", does: "Chart a baseline" },
  { key: "n", goesTo: "form[data-entry]", does: "First field of the form" },
  { key: "t", goesTo: "#timeline", does: "Timeline" },
  { key: "g", goesTo: "#guidance", does: "Treatment advice" },
];
const KEYS_IN_FIELDS = [
  [["Ctrl", "Enter"], "Save, from any field"],
  [["Enter"], "Next field; on the last one, save"],
  [["Esc"], "Leave the field, close a menu or this list"],
];

let dialog = null;
export const singleKeysAreOff = () => stored(OFF) === "off";

const make = (name, properties, ...children) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
};
const rowOf = (keys, does) => {
  const shown = keys.flatMap((key) => [" ", make("kbd", {}, key)]).slice(1);
  return make("div", {}, make("dt", {}, ...shown), make("dd", {}, does));
};
const singleKeyRow = ({ key, does, ...target }) => {
  const row = rowOf([key], does);
  Object.assign(row.dataset, { key, ...target });
  return row;
};
const makeDialog = () => {
  const close = make("button", { className: "btn btn-quiet", type: "submit" }, "Close");
  const title = make("h2", { id: "shortcuts-title" }, "Keyboard shortcuts");
  const head = make("div", { className: "shortcuts-head" }, title, make("form", { method: "dialog" }, close));
  const rows = [...SINGLE_KEYS.map(singleKeyRow), ...KEYS_IN_FIELDS.map(([keys, does]) => rowOf(keys, does))];
  const toggle = make("input", { type: "checkbox", checked: !singleKeysAreOff() });
  toggle.dataset.singleKeys = "";
  const note = make("small", {}, "They never act while you type in a field.");
  const tick = make("label", { className: "tick" }, toggle, make("span", {}, "Single keys on ", note));
  const made = make("dialog", { id: "shortcuts", className: "panel" }, head, make("dl", { className: "shortcuts" }, ...rows), tick);
  made.setAttribute("aria-labelledby", title.id);
  document.getElementById("main").append(made);
  return made;
};

// Hides the shortcuts that have no target on the page: a role that only reads has no form.
const list = () => {
  for (const row of dialog.querySelectorAll("[data-key]")) {
    row.hidden = !document.querySelector(row.dataset.opens ?? row.dataset.goesTo);
  }
  openDialog(dialog);
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

const watchDialog = (buttons) => {
  dialog = makeDialog();
  const toggle = dialog.querySelector("[data-single-keys]");
  toggle.addEventListener("change", () => {
    if (toggle.checked) removeStored(OFF);
    else store(OFF, "off");
  });
  for (const button of buttons) {
    button.hidden = false;
    button.addEventListener("click", list);
  }
  document.addEventListener("keydown", onSingleKey);
};

export const watchShortcuts = () => {
  document.addEventListener("keydown", onEnter);
  document.addEventListener("keydown", onEscape);
  const buttons = document.querySelectorAll("[data-shortcuts]");
  if (buttons.length) watchDialog(buttons);
};

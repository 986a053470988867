// Focus and keys of the entry form: time buttons, Enter to the next field, doses converted while
// typing. Without this file the forms work as plain forms.

import { now } from "../clock.js";
import { convert } from "./conversion.js";
import { setTime } from "../site_time.js";

export const UNIT_SELECT = ".measure input ~ select"; // keeps its value from one entry to the next
export const focusables = (form) =>
  [...form.querySelectorAll("input:not([type=hidden]), select, textarea")].filter(
    (element) => element.offsetParent !== null && !element.disabled,
  );
export const firstField = (form) =>
  form.querySelector("[data-result], [data-part] input, .round-capd input") ?? focusables(form)[0];

// Focuses the safe answer to the questions, or the first wrong field of a form that was just loaded, else its first
// field, unless the focus is in the form's panel already (on a tab). What has the focus is in sight, with the reason
// and, where there is room, with the button.
const focusForm = () => {
  const panel = document.getElementById("entry-form");
  const form = panel?.querySelector("form[data-entry]");
  if (!form) return;
  const questions = form.querySelector("[data-questions]");
  const wrong = [...form.querySelectorAll("[aria-invalid=true]")].find((control) => control.offsetParent);
  if (questions || wrong) {
    (questions?.querySelector("[data-change-it]") ?? wrong).focus({ preventScroll: true });
    const parts = [form.querySelector("#save"), questions ?? form.querySelector(".refusal"), questions ? null : wrong];
    for (const part of parts) part?.scrollIntoView({ block: "nearest" });
  } else if (!panel.contains(document.activeElement)) firstField(form)?.focus();
};

// While drafts are read the page may have loaded.
const afterLoad = (act) => {
  if (document.readyState === "complete") setTimeout(act);
  else addEventListener("load", () => setTimeout(act));
};

// The form of an answer to guidance gives way to that of vital signs, and takes the focus with it.
const isGone = (sent) =>
  sent?.matches?.("form[data-entry]") && !sent.isConnected && document.activeElement === document.body;

const ready = () => {
  for (const buttons of document.querySelectorAll("[data-chips]")) buttons.hidden = false;
  for (const form of document.querySelectorAll("form[data-entry]")) convert(form);
};

const onEnter = (event) => {
  const form = event.target.closest?.("form[data-entry]");
  if (!form || event.key !== "Enter") return;
  if (!event.target.matches("input:not([type=checkbox], [type=radio]), select")) return;
  // Enter skips what usually stays unchanged: units, times and checkboxes. Tab does not.
  const fields = focusables(form).filter(
    (element) =>
      element === event.target ||
      !element.matches(`${UNIT_SELECT}, [data-aside], [data-time], [type=checkbox]`),
  );
  const following = fields[fields.indexOf(event.target) + 1];
  if (event.ctrlKey || event.metaKey) return;
  const isLast = event.target.matches("[data-last]") || !following;
  if (isLast || !following.closest("[data-kind]")) return; // the browser submits
  event.preventDefault();
  following.focus();
};

// Keeps the first input in its place on the screen while a swap changes the height above it.
let topBefore = null;
const firstInputTop = () =>
  document.querySelector("#entry-form .measure")?.getBoundingClientRect().top ?? null;
const noteTop = (event) => {
  const panel = document.getElementById("entry-form");
  const busy = [document.activeElement, event.detail.requestConfig?.elt];
  const isInUse = event.detail.target !== panel && busy.some((element) => panel?.contains(element));
  topBefore = isInUse ? firstInputTop() : null;
};
const restoreTop = () => {
  const at = topBefore === null ? null : firstInputTop();
  if (at !== null) window.scrollBy({ top: at - topBefore, behavior: "instant" });
  topBefore = null;
};

export const watchEntryForm = () => {
  ready();
  // The browser drops the focus when it scrolls to the form after the load event.
  if (location.hash === "#entry-form") afterLoad(focusForm);
  document.addEventListener("keydown", onEnter);
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-entry]");
    if (form) convert(form);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-minutes-ago]");
    if (!button) return;
    const { minutesAgo } = button.dataset;
    const form = button.closest("form");
    setTime(form, minutesAgo === "now" ? null : now() - Number(minutesAgo) * 60_000);
    form.querySelector("[data-time]").dispatchEvent(new Event("input", { bubbles: true }));
  });
  document.body.addEventListener("htmx:beforeSwap", noteTop);
  document.body.addEventListener("htmx:afterSwap", restoreTop);
  document.body.addEventListener("htmx:afterSettle", (event) => {
    ready();
    const { requestConfig, target } = event.detail;
    if (target?.id === "entry-form" || isGone(requestConfig?.elt)) focusForm();
  });
};

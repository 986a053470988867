// The hand at the entry form: chips for the time, Enter to the next field, doses converted while
// typing. Without this file the forms work as plain forms.

import { now } from "../clock.js";
import { convert } from "./conversion.js";
import { setTime } from "../site_time.js";

export const BESIDE_A_VALUE = ".measure input ~ select"; // a unit, kept from one set to the next
export const focusables = (form) =>
  [...form.querySelectorAll("input:not([type=hidden]), select, textarea")].filter(
    (element) => element.offsetParent !== null && !element.disabled,
  );
export const firstField = (form) => form.querySelector("[data-result]") ?? focusables(form)[0];

// Where the hand goes in a form that has just come: to what is wrong, else, unless it is there
// already (on a tab), to the first field.
const toFirstField = () => {
  const panel = document.getElementById("entry-form");
  const form = panel?.querySelector("form[data-entry]");
  if (!form) return;
  const asked = form.querySelector("[data-asks]");
  const wrong = form.querySelector("[aria-invalid=true]");
  if (asked) {
    asked.focus({ preventScroll: true });
    asked.scrollIntoView({ block: "nearest" });
  } else if (wrong) wrong.focus();
  else if (!panel.contains(document.activeElement)) firstField(form)?.focus();
};

const ready = () => {
  for (const chips of document.querySelectorAll("[data-chips]")) chips.hidden = false;
  for (const form of document.querySelectorAll("form[data-entry]")) convert(form);
};

const onEnter = (event) => {
  const form = event.target.closest?.("form[data-entry]");
  if (!form || event.key !== "Enter") return;
  if (!event.target.matches("input:not([type=checkbox], [type=radio]), select")) return;
  // Enter passes over what usually stays as it is, the unit beside a value and the time; Tab not.
  const fields = focusables(form).filter(
    (element) =>
      element === event.target ||
      !element.matches(`${BESIDE_A_VALUE}, [data-aside], [data-time], [type=checkbox]`),
  );
  const following = fields[fields.indexOf(event.target) + 1];
  if (event.ctrlKey || event.metaKey) return;
  const isLast = event.target.matches("[data-last]") || !following;
  if (isLast || !following.closest("[data-kind]")) return; // the browser submits
  event.preventDefault();
  following.focus();
};

// What grows or shrinks above the first input must not move it from under the hand.
let heldAt = null;
const firstInputAt = () =>
  document.querySelector("#entry-form .measure")?.getBoundingClientRect().top ?? null;
const hold = (event) => {
  const panel = document.getElementById("entry-form");
  const busy = [document.activeElement, event.detail.requestConfig?.elt];
  const inHand = event.detail.target !== panel && busy.some((element) => panel?.contains(element));
  heldAt = inHand ? firstInputAt() : null;
};
const release = () => {
  const at = heldAt === null ? null : firstInputAt();
  if (at !== null) window.scrollBy({ top: at - heldAt, behavior: "instant" });
  heldAt = null;
};

export const watchEntries = () => {
  ready();
  // The browser drops the focus as it scrolls to the form, which is after the page has loaded.
  if (location.hash === "#entry-form") addEventListener("load", () => setTimeout(toFirstField));
  document.addEventListener("keydown", onEnter);
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-entry]");
    if (form) convert(form);
  });
  document.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-minutes-ago]");
    if (!chip) return;
    const { minutesAgo } = chip.dataset;
    const form = chip.closest("form");
    setTime(form, minutesAgo === "now" ? null : now() - Number(minutesAgo) * 60_000);
    form.querySelector("[data-time]").dispatchEvent(new Event("input", { bubbles: true }));
  });
  document.body.addEventListener("htmx:beforeSwap", hold);
  document.body.addEventListener("htmx:afterSwap", release);
  document.body.addEventListener("htmx:afterSettle", (event) => {
    ready();
    if (event.detail.target?.id === "entry-form") toFirstField();
  });
};

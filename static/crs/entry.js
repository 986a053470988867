// The hand at the entry form: chips for the time, Enter to the next field, doses converted while
// typing, and nothing lost when a send fails. Without this file the forms work as plain forms.

import { now } from "./clock.js";
import { over, parse, shown, times } from "./decimal.js";

const zone = document.body.dataset.zone;
const parts = (instant) =>
  Object.fromEntries(
    new Intl.DateTimeFormat("en-CA", {
      timeZone: zone,
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    })
      .formatToParts(new Date(instant))
      .map(({ type, value }) => [type, value]),
  );

const setTime = (form, minutesAgo) => {
  const time = form.querySelector("[name=observed_time]");
  const date = form.querySelector("[name=observed_date]");
  const { year, month, day, hour, minute } = parts(now() - (minutesAgo || 0) * 60_000);
  time.value = minutesAgo === null ? "" : `${hour}:${minute}`;
  date.value = minutesAgo === null ? "" : `${year}-${month}-${day}`;
};

const BESIDE_A_VALUE = ".measure input ~ select"; // a unit, kept from one set to the next
const field = (form, name) => form.querySelector(`[name=${name}]`);

const weightOf = (form) => {
  const typed = field(form, "weight_kg")?.value;
  if (typed) return typed;
  const facts = [...document.querySelectorAll("#banner dt")];
  const weight = facts.find((term) => term.textContent === "weight")?.nextElementSibling;
  return /^([\d.]+) kg$/.exec(weight?.textContent.trim() ?? "")?.[1] ?? null;
};

const dose = (form) => {
  const rate = parse(field(form, "rate")?.value);
  const unit = field(form, "unit")?.value;
  const drug = field(form, "drug")?.value;
  if (!rate || !unit || !drug) return "";
  if (unit.includes("/kg/")) {
    const weight = weightOf(form);
    const mass = unit.startsWith("ng") ? "ng" : "mcg";
    if (!parse(weight)) return `No weight charted: the dose in ${mass}/min cannot be known`;
    const sum = times(rate, parse(weight));
    return `${shown(rate)} ${mass}/kg/min × ${weight} kg = ${shown(sum)} ${mass}/min`;
  }
  if (unit === "ml/h") {
    const concentration = parse(field(form, "concentration_per_ml")?.value);
    if (!concentration) return "";
    const substance = drug === "vasopressin" ? "units" : "mcg";
    const sum = over(times(rate, concentration), 60n);
    return `${shown(rate)} mL/h × ${shown(concentration)} ${substance}/mL ÷ 60 = ${shown(sum)} ${substance}/min`;
  }
  if (unit === "units/h") return `${shown(rate)} units/h = ${shown(over(rate, 60n))} units/min`;
  if (unit === "mg/h") {
    return `${shown(rate)} mg/h = ${shown(over(times(rate, parse("1000")), 60n))} mcg/min`;
  }
  return "";
};

const celsius = (form) => {
  const typed = field(form, "temperature");
  const unit = field(form, "temperature_unit");
  const number = unit?.value === "f" ? parse(typed.value) : null;
  if (!number) return "";
  const thirtyTwo = 32n * 10n ** BigInt(number.places);
  if (number.units < thirtyTwo) return "";
  const sum = over({ units: (number.units - thirtyTwo) * 5n, places: number.places }, 9n);
  return `${shown(number)} °F = ${shown(sum, 2)} °C`;
};

const convert = (form) => {
  const line = form.querySelector("[data-conversion]");
  if (!line) return;
  const text = field(form, "rate") ? dose(form) : celsius(form);
  line.textContent = text;
  line.hidden = !text;
};

const focusables = (form) =>
  [...form.querySelectorAll("input:not([type=hidden]), select, textarea")].filter(
    (element) => element.offsetParent !== null && !element.disabled,
  );

// The first keystroke and the first Save of a set keep their moment, however often it is sent.
const stamp = (form, name) => {
  const input = field(form, name);
  if (input && !input.value) input.value = new Date(now()).toISOString();
};

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
  }
  else if (wrong) wrong.focus();
  else if (!panel.contains(document.activeElement)) focusables(form)[0]?.focus();
};

const ready = (root = document) => {
  for (const chips of root.querySelectorAll("[data-chips]")) chips.hidden = false;
  for (const form of root.querySelectorAll("form[data-entry]")) convert(form);
};

const onEnter = (event) => {
  const form = event.target.closest?.("form[data-entry]");
  if (!form || event.key !== "Enter") return;
  if (!event.target.matches("input:not([type=checkbox], [type=radio]), select")) return;
  // Enter passes over what usually stays as it is, the unit beside a value and the time; Tab not.
  const fields = focusables(form).filter(
    (element) =>
      element === event.target ||
      !element.matches(`${BESIDE_A_VALUE}, [data-time], [type=checkbox]`),
  );
  const following = fields[fields.indexOf(event.target) + 1];
  const last = event.ctrlKey || !following || !following.closest(".fields[data-kind]");
  if (last) return; // the browser submits
  event.preventDefault();
  following.focus();
};

// What an empty form has in it from the server: what was last ascribed to something else.
const proposed = (element) =>
  element.closest("#attribution[data-proposed]") && element.name.startsWith("attribution");

// Not form.reset(): after a refusal that brings back what was refused. A choice's first is its blank.
const empty = (form) => {
  for (const input of form.querySelectorAll("input:not([type=hidden]), textarea")) {
    if (proposed(input)) continue;
    if (input.type === "checkbox") input.checked = false;
    else if (input.type === "radio") input.checked = input.value === "";
    else input.value = "";
  }
  for (const select of form.querySelectorAll("select")) {
    if (!select.matches(BESIDE_A_VALUE) && !proposed(select)) select.selectedIndex = 0;
  }
  for (const wrong of form.querySelectorAll("[role=alert], [data-asks]")) wrong.remove();
  for (const wrong of form.querySelectorAll(".field-wrong, .field-asked")) {
    wrong.classList.remove("field-wrong", "field-asked");
  }
  for (const wrong of form.querySelectorAll("[aria-invalid]")) wrong.removeAttribute("aria-invalid");
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

const renew = (message) => {
  const form = document.querySelector("#entry-form form[data-entry]");
  if (!message?.dataset.formId || !form) return;
  if (message.dataset.renewed === "no") {
    empty(form);
    field(form, "form_id").value = message.dataset.formId;
    for (const name of ["begun_at", "sent_at"]) field(form, name).value = "";
    convert(form);
  }
  focusables(form)[0]?.focus({ preventScroll: true });
};

const failed = (event) => {
  const form = event.target.closest?.("form[data-entry]");
  if (!form) return;
  const message = document.getElementById("entry-message");
  message.className = "message message-wrong";
  message.setAttribute("role", "alert");
  const status = event.detail.xhr?.status;
  const why =
    {
      0: "There is no connection.",
      401: "You have been signed out: sign in again.",
      403: "You may not do this, or have signed in anew elsewhere.",
    }[status ?? 0] ?? "The server could not save it.";
  message.innerHTML = "";
  const strong = document.createElement("strong");
  strong.textContent = "Not saved.";
  const text = document.createElement("span");
  text.textContent = `${why} What you typed is still here.`;
  const retry = document.createElement("button");
  retry.type = "button";
  retry.className = "btn btn-quiet";
  retry.textContent = "Try again";
  retry.addEventListener("click", () => form.requestSubmit());
  message.append(strong, text, retry);
};

export const watchEntries = () => {
  ready();
  // The browser drops the focus as it scrolls to the form, which is after the page has loaded.
  if (location.hash === "#entry-form") addEventListener("load", () => setTimeout(toFirstField));
  document.addEventListener("keydown", onEnter);
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-entry]");
    if (!form) return;
    stamp(form, "begun_at");
    convert(form);
  });
  document.addEventListener("submit", (event) => {
    if (event.target.matches("form[data-entry]")) stamp(event.target, "sent_at");
  }, true);
  document.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-minutes-ago]");
    if (!chip) return;
    const minutes = chip.dataset.minutesAgo === "now" ? null : Number(chip.dataset.minutesAgo);
    setTime(chip.closest("form"), minutes);
  });
  document.body.addEventListener("htmx:beforeSwap", hold);
  document.body.addEventListener("htmx:afterSwap", (event) => {
    release();
    const message = document.getElementById("entry-message");
    if (event.detail.target?.id === "entry-message") renew(message);
  });
  document.body.addEventListener("htmx:afterSettle", (event) => {
    ready(event.target.parentElement ?? document);
    if (event.detail.target?.id === "entry-form") toFirstField();
  });
  document.body.addEventListener("htmx:sendError", failed);
  document.body.addEventListener("htmx:responseError", failed);
  document.body.addEventListener("htmx:timeout", failed);
};

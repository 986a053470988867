// What is typed and not saved yet: kept while it is typed, put back when its form is shown again.

import { now } from "../clock.js";
import { actionOf, addressOf, labelOf, nameOthers, restoredLine } from "./notices.js";
import { draftOf, dropDraft, keepDraft, watchDraftStore } from "./store.js";
import { clockText } from "../site_time.js";

const WAIT = 250;
const OWN_HIDDEN = { form_id: "formId", begun_at: "begunAt", sent_at: "sentAt" };

const forms = () => document.querySelectorAll("form[data-entry]");

// Hidden inputs that the page fills in; a form may lack them.
export const hidden = (form, name) => {
  const found = form.querySelector(`input[type=hidden][name=${name}]`);
  if (found) return found;
  const made = Object.assign(document.createElement("input"), { type: "hidden", name });
  form.append(made);
  return made;
};

// A tick for "unchanged" speaks of its moment and is never put back.
const isTick = (control) => control.closest("#carried-on") !== null;
const isChoice = (control) => control.matches("[type=checkbox], [type=radio]");
const controls = (form) =>
  [...form.elements].filter((element) => element.name && !element.matches("[type=hidden], button"));

const isUnit = (control) => control.matches(".measure input ~ select");
const says = (control) => {
  if (isChoice(control)) return control.checked;
  if (control.matches("select")) return control.selectedIndex > 0 && !isUnit(control);
  return control.value !== "";
};

export const valuesOf = (form) =>
  controls(form)
    .filter((control) => !isTick(control) && (!isChoice(control) || control.checked))
    .map(({ name, value }) => [name, value]);
const ticked = (form) =>
  controls(form).filter((control) => isTick(control) && control.checked).length;

// What the server sent, whatever a browser has put back by itself.
const defaultOf = (control) => {
  if (!control.matches("select")) return isChoice(control) ? control.value : control.defaultValue;
  const options = [...control.options];
  return (options.find((option) => option.defaultSelected) ?? options[0])?.value ?? "";
};
const defaultsOf = (form) =>
  controls(form)
    .filter((control) => !isTick(control) && (!isChoice(control) || control.defaultChecked))
    .map((control) => [control.name, defaultOf(control)]);

// The values of each form before anything was typed; null where it came back refused.
const pristine = new WeakMap();
const pending = new Map();

const hasTyped = (form) => {
  const before = pristine.get(form);
  if (before) return before !== JSON.stringify(valuesOf(form));
  return controls(form).some((control) => !isTick(control) && says(control));
};

const begin = (form) => {
  const begun = hidden(form, "begun_at");
  if (!hasTyped(form) && !ticked(form)) begun.value = "";
  else begun.value ||= new Date(now()).toISOString();
};

// An empty time means now, or when a Save that failed was sent.
export const showTime = (form) => {
  const time = form.querySelector("[data-time]:not([required])");
  const sent = Date.parse(hidden(form, "sent_at").value);
  if (time) time.placeholder = Number.isNaN(sent) ? "now" : clockText(sent);
};

export const keep = (form) => {
  clearTimeout(pending.get(form));
  pending.delete(form);
  if (!pristine.has(form)) return;
  const action = actionOf(form);
  if (!hasTyped(form)) {
    dropDraft(action, hidden(form, "form_id").value);
    return;
  }
  const own = Object.entries(OWN_HIDDEN).map(([name, key]) => [key, hidden(form, name).value]);
  const values = valuesOf(form);
  const isSame = JSON.stringify(draftOf(action)?.values) === JSON.stringify(values);
  const typedAt = isSame ? draftOf(action).typedAt : now();
  keepDraft(action, { ...Object.fromEntries(own), values, ticks: ticked(form), typedAt });
};

export const keepAll = () => {
  for (const form of forms()) keep(form);
};

const putBack = (form, draft) => {
  const left = new Map();
  for (const [name, value] of draft.values) left.set(name, [...(left.get(name) ?? []), value]);
  for (const control of controls(form).filter((each) => !isTick(each))) {
    if (isChoice(control)) control.checked = left.get(control.name)?.includes(control.value) ?? false;
    else if (left.get(control.name)?.length) control.value = left.get(control.name).shift();
  }
  for (const [name, key] of Object.entries(OWN_HIDDEN)) hidden(form, name).value = draft[key] ?? "";
  showTime(form);
  const more = form.querySelector("details.more");
  if (more && controls(form).some((each) => more.contains(each) && says(each))) more.open = true;
};

// Takes in hand each form that is new on the page. A refused one comes with what was sent; what
// was typed while it was on the way is newer.
const receive = () => {
  const fresh = [...forms()].filter((form) => !pristine.has(form));
  for (const form of fresh) {
    const draft = draftOf(actionOf(form));
    const isRefused = form.hasAttribute("data-refused");
    pristine.set(form, isRefused ? null : JSON.stringify(defaultsOf(form)));
    if (isRefused && draft?.formId === hidden(form, "form_id").value) putBack(form, draft);
    if (!isRefused && draft) {
      putBack(form, draft);
      restoredLine(form, draft);
    }
  }
  if (fresh.length) nameOthers();
  return fresh.length > 0;
};

// The address follows the form, so that the page loaded anew opens with the same one.
const receiveAndFollow = () => {
  const form = receive() && document.querySelector("#entry-form form[data-entry]");
  if (!form || !labelOf(actionOf(form))) return;
  history.replaceState(history.state, "", addressOf(actionOf(form)));
};

// A form that was emptied for its next entry: whatever stands in it now was typed meanwhile.
export const renewed = (form, emptyValues) => {
  pristine.set(form, JSON.stringify(emptyValues));
  form.querySelector("[data-restored]")?.remove();
  for (const name of ["begun_at", "sent_at"]) hidden(form, name).value = "";
  begin(form);
  showTime(form);
  keep(form);
};

export const discard = (form) => {
  clearTimeout(pending.get(form));
  pending.delete(form);
  pristine.delete(form);
  dropDraft(actionOf(form));
};

export const watchDrafts = () => {
  document.addEventListener("submit", keepAll);
  watchDraftStore();
  receive();
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-entry]");
    if (!form) return;
    if (event.target.matches("[name^=observed_]")) hidden(form, "sent_at").value = "";
    begin(form);
    showTime(form);
    clearTimeout(pending.get(form));
    pending.set(form, setTimeout(keep, WAIT, form));
  });
  document.addEventListener("click", (event) => {
    const control = event.target.closest("[data-discard]");
    const form = control?.closest("form[data-entry]");
    if (!form) return;
    discard(form);
    if (control.matches("button")) location.reload();
  });
  addEventListener("pagehide", keepAll);
  document.addEventListener("visibilitychange", keepAll);
  document.body.addEventListener("htmx:beforeSwap", keepAll);
  document.body.addEventListener("htmx:afterSwap", receiveAndFollow);
  document.body.addEventListener("htmx:oobAfterSwap", receiveAndFollow);
};

// Drafts of forms: stored while someone types, restored when the form is shown again.

import { now } from "../clock.js";
import { controls, hasValue, isChoice, isPreset, isUnit } from "./controls.js";
import { actionOf, addressOf, labelOf, nameOthers, restoredLine, showUnsentOfOthers } from "./notices.js";
import { draftOf, draftsUnder, dropDraft, keepDraft, watchDraftStore } from "./store.js";
import { REFUSED, entryOf } from "../outbox/store.js";
import { formContent } from "../outbox/words.js";
import { clockText } from "../site_time.js";
import { pushAddress } from "../timeline.js";

const HIDDEN_KEYS = { form_id: "formId", begun_at: "begunAt", sent_at: "sentAt" };

const forms = () => document.querySelectorAll("form[data-entry]");

// Returns the hidden input of this name; adds it where the form has none.
export const hidden = (form, name) => {
  const found = form.querySelector(`input[type=hidden][name=${name}]`);
  if (found) return found;
  const made = Object.assign(document.createElement("input"), { type: "hidden", name });
  form.append(made);
  return made;
};

// A checkbox "unchanged" is about the time it was ticked: it is never restored.
const isTick = (control) => control.closest("#unchanged") !== null;

export const valuesOf = (form) =>
  controls(form)
    .filter((control) => !isTick(control) && (!isChoice(control) || control.checked))
    .map(({ name, value }) => [name, value]);
const ticked = (form) =>
  controls(form).filter((control) => isTick(control) && control.checked).length;

// The value that the server sent, even where the browser has restored another one.
const defaultOf = (control) => {
  if (!control.matches("select")) return isChoice(control) ? control.value : control.defaultValue;
  const options = [...control.options];
  return (options.find((option) => option.defaultSelected) ?? options[0])?.value ?? "";
};
const defaultsOf = (form) =>
  controls(form)
    .filter((control) => !isTick(control) && (!isChoice(control) || control.defaultChecked))
    .map((control) => [control.name, defaultOf(control)]);

// The values of each form before anything was typed; null for a refused form.
const pristine = new WeakMap();
// What was typed there was discarded: until more is typed it is no draft, also where another part of the page
// is swapped before this form is gone.
const discarded = new WeakSet();

const hasTyped = (form) => {
  const before = pristine.get(form);
  if (before) return before !== JSON.stringify(valuesOf(form));
  return controls(form).some((control) => !isTick(control) && !isPreset(control) && hasValue(control));
};

const setBegunAt = (form) => {
  const begun = hidden(form, "begun_at");
  if (!hasTyped(form) && !ticked(form)) begun.value = "";
  else begun.value ||= new Date(now()).toISOString();
};

// An empty time means now, or the time of the first save that failed.
export const showTime = (form) => {
  const time = form.querySelector("[data-time]:not([required])");
  const sent = Date.parse(hidden(form, "sent_at").value);
  if (time) time.placeholder = Number.isNaN(sent) ? "now" : clockText(sent);
};

// How many values were typed: what another user may know of the draft.
const countTyped = (form) => {
  const before = new Set((JSON.parse(pristine.get(form)) ?? []).map((pair) => JSON.stringify(pair)));
  const typed = controls(form).filter(
    (control) =>
      !isTick(control) && !isUnit(control) && !isPreset(control) && hasValue(control) &&
      !before.has(JSON.stringify([control.name, control.value])),
  );
  return Math.max(typed.length, 1);
};

export const keep = (form) => {
  if (!pristine.has(form)) return;
  const action = actionOf(form);
  if (!hasTyped(form)) {
    dropDraft(action, hidden(form, "form_id").value);
    return;
  }
  const own = Object.entries(HIDDEN_KEYS).map(([name, key]) => [key, hidden(form, name).value]);
  const values = valuesOf(form);
  const isSame = JSON.stringify(draftOf(action)?.values) === JSON.stringify(values);
  const typedAt = isSame ? draftOf(action).typedAt : now();
  const { replaces } = form.dataset;
  const content = formContent(form, new FormData(form)); // sent by itself only where it was saved (outbox/saved_drafts.js)
  const draft = { ...Object.fromEntries(own), replaces, values, ticks: ticked(form), typedAt, content };
  keepDraft(action, draft, countTyped(form));
};

const keepAll = () => {
  for (const form of forms()) keep(form);
};

// Values of a draft for which the form has no field any more, as after an update of the site; what a refused entry
// of the outbox had stands in the outbox.
const withoutField = (form, { replaces, values }) => {
  const restored = new Set(valuesOf(form).map((pair) => JSON.stringify(pair)));
  const isLost = (pair) => pair[1] !== "" && !restored.has(JSON.stringify(pair));
  return replaces ? [] : values.filter(isLost).map(([, value]) => value);
};

const restore = (form, draft) => {
  const left = new Map();
  for (const [name, value] of draft.values) left.set(name, [...(left.get(name) ?? []), value]);
  for (const control of controls(form).filter((each) => !isTick(each))) {
    if (isChoice(control)) control.checked = left.get(control.name)?.includes(control.value) ?? false;
    else if (left.get(control.name)?.length) control.value = left.get(control.name).shift();
  }
  for (const [name, key] of Object.entries(HIDDEN_KEYS)) hidden(form, name).value = draft[key] ?? "";
  if (draft.replaces) form.dataset.replaces = draft.replaces; // a refused entry of the outbox, which this one replaces
  showTime(form);
  const more = form.querySelector("details.more");
  if (more && controls(form).some((each) => more.contains(each) && hasValue(each))) more.open = true;
};

// Restores the draft of each form that is new on the page. A refused form has the values that were
// sent; a draft of the same form is newer.
const restoreNewForms = () => {
  const fresh = [...forms()].filter((form) => !pristine.has(form) && !discarded.has(form));
  for (const form of fresh) {
    const draft = draftOf(actionOf(form));
    const isRefused = form.hasAttribute("data-refused");
    pristine.set(form, isRefused ? null : JSON.stringify(defaultsOf(form)));
    if (isRefused && draft?.formId === hidden(form, "form_id").value) restore(form, draft);
    if (!isRefused && draft) {
      restore(form, draft);
      restoredLine(form, draft, withoutField(form, draft));
    }
  }
  if (fresh.length) nameOthers();
  showUnsentOfOthers();
  return fresh.length > 0;
};

// Sets the address to that of the form, so that a reload opens the same one.
const restoreAndSetAddress = () => {
  const form = restoreNewForms() && document.querySelector("#entry-form form[data-entry]");
  if (!form || !labelOf(actionOf(form))) return;
  const address = new URL(addressOf(actionOf(form)), location.href);
  for (const name of ["show", "day", "until"]) {
    const value = new URLSearchParams(location.search).get(name);
    if (value) address.searchParams.set(name, value);
  }
  pushAddress(address);
};

// Call after a form was emptied for its next entry: values other than `emptyValues` were typed since.
export const renewed = (form, emptyValues) => {
  pristine.set(form, JSON.stringify(emptyValues));
  form.querySelector("[data-restored]")?.remove();
  delete form.dataset.replaces;
  for (const name of ["begun_at", "sent_at"]) hidden(form, name).value = "";
  hidden(form, "opened_at").value = new Date(now()).toISOString();
  setBegunAt(form);
  showTime(form);
  keep(form);
};

export const discard = (form) => {
  pristine.delete(form);
  discarded.add(form);
  dropDraft(actionOf(form));
};

// A page that was left while its save was on its way: what was saved is in the outbox, and only what was typed since
// is a draft, of the next entry.
const dropWhatIsSaved = () => {
  for (const [action, draft] of draftsUnder("/")) {
    const entry = entryOf(draft.formId);
    if (!entry || entry.state === REFUSED) continue;
    const saved = new Set(entry.content.fields.map((pair) => JSON.stringify(pair)));
    const values = draft.values.filter((pair) => pair[1] && !saved.has(JSON.stringify(pair)));
    dropDraft(action);
    const next = { ...draft, formId: crypto.randomUUID(), begunAt: "", sentAt: "", values, content: null };
    if (values.length) keepDraft(action, next, values.length);
  }
};

export const watchDrafts = () => {
  document.addEventListener("submit", keepAll);
  watchDraftStore();
  dropWhatIsSaved();
  restoreNewForms();
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-entry]");
    if (!form) return;
    if (event.target.matches("[name^=observed_]")) hidden(form, "sent_at").value = "";
    if (discarded.delete(form)) restoreNewForms();
    setBegunAt(form);
    showTime(form);
    keep(form);
  });
  document.addEventListener("click", (event) => {
    const control = event.target.closest("[data-discard]");
    const form = control?.closest("form[data-entry]");
    if (!form) return;
    discard(form);
    if (!control.matches("button")) return;
    location.hash = "entry-form"; // the first field has the focus again
    location.reload();
  });
  addEventListener("pagehide", keepAll);
  addEventListener("storage", showUnsentOfOthers);
  document.addEventListener("visibilitychange", keepAll);
  document.body.addEventListener("htmx:beforeSwap", keepAll);
  document.body.addEventListener("htmx:afterSwap", restoreAndSetAddress);
  document.body.addEventListener("htmx:oobAfterSwap", restoreAndSetAddress);
};

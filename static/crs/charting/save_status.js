// Follows a save: empties the form once the save is confirmed, and shows why where it is not.

import { now } from "../clock.js";
import { element } from "../elements.js";
import { convert } from "./conversion.js";
import { actionOf, nameOthers } from "../unsent/notices.js";
import { dropDraft, hasKey, unmarkSaved } from "../unsent/store.js";
import { discard, hidden, keep, renewed, showTime, valuesOf } from "../unsent/forms.js";
import { UNIT_SELECT, firstField } from "./entry_form.js";
import { clearLimits, isImpossible } from "./limits.js";
import { isUnreachable, saysNotStored } from "../outbox/answers.js";
import { showKept } from "../outbox/kept_message.js";
import { markDraft } from "../outbox/saved_drafts.js";
import { confirmEntry, dropEntry, dropReplaced, entryOf, keepEntry, reserve } from "../outbox/store.js";
import { underWay } from "../outbox/strip.js";
import { sendUnsent } from "../outbox/sender.js";
import { contentSavedAt, formContent } from "../outbox/words.js";
import { requestWords } from "../request_id.js";
import { clockText, hasTime } from "../site_time.js";

const REFUSED_BY_SERVER = [409, 422]; // its response has a message of its own
const entryForm = () => document.querySelector("#entry-form form[data-entry]");

const contentOf = (control) =>
  control.type === "checkbox" || control.type === "radio" ? control.checked : control.value;
const setContent = (control, content) => {
  if (typeof content === "boolean") control.checked = content;
  else control.value = content;
};
const contents = (form) => {
  const visible = form.querySelectorAll("input:not([type=hidden]), select, textarea");
  return new Map([...visible].map((control) => [control, contentOf(control)]));
};
const sentWith = new WeakMap();

// Attribution that is proposed for the next entry stays when the form is emptied.
const isProposed = (control) =>
  control.closest("#attribution[data-proposed]") && control.name.startsWith("attribution");
// form.reset() would bring back the refused values after a refusal. The first option of a select is
// its empty one.
const empty = (form) => {
  for (const input of form.querySelectorAll("input:not([type=hidden]), textarea")) {
    if (isProposed(input)) continue;
    if (input.type === "checkbox") input.checked = false;
    else if (input.type === "radio") input.checked = input.value === "";
    else input.value = "";
  }
  for (const select of form.querySelectorAll("select")) {
    if (!select.matches(UNIT_SELECT) && !isProposed(select)) select.selectedIndex = 0;
  }
  for (const wrong of form.querySelectorAll("[role=alert], [data-questions], [data-not-saved]")) wrong.remove();
  for (const wrong of form.querySelectorAll(".field-wrong, .field-asked")) {
    wrong.classList.remove("field-wrong", "field-asked");
  }
  for (const wrong of form.querySelectorAll("[aria-invalid]")) wrong.removeAttribute("aria-invalid");
};

// Values typed while the response was on its way belong to the next entry: they stay, also in a new
// form that replaces the one they were typed in.
let lastSent = null;
const typedSinceSent = (form) => {
  const before = sentWith.get(form);
  return [...contents(form)].filter(
    ([control, content]) => before?.has(control) && before.get(control) !== content,
  );
};
const carryOver = (old, form) => {
  if (!old || old === form || actionOf(old) !== actionOf(form)) return [];
  return typedSinceSent(old)
    .map(([control, content]) => [form.elements.namedItem(control.name), content])
    .filter(([control]) => control instanceof HTMLElement);
};

// Empties a form for the next entry, under the id of a new form.
const renewForm = (form, formId, typedSince) => {
  empty(form);
  const emptyValues = valuesOf(form);
  for (const [control, content] of typedSince) setContent(control, content);
  hidden(form, "form_id").value = formId;
  renewed(form, emptyValues);
  convert(form);
  clearLimits();
};

const renew = (message) => {
  const form = entryForm();
  if (!message?.dataset.formId || !form) return;
  const typedSince = lastSent === form ? typedSinceSent(form) : carryOver(lastSent, form);
  if (message.dataset.renewed === "no") renewForm(form, message.dataset.formId, typedSince);
  else for (const [control, content] of typedSince) setContent(control, content);
  if (!typedSince.length) firstField(form)?.focus({ preventScroll: true });
};

// After a conflict the message has the focus, for it says how to go on. A refused answer to guidance has its
// message and its focus in the panel of guidance.
const showConflict = ({ target, detail: { requestConfig, xhr } }) => {
  if (target.id !== "entry-message" || xhr.status !== 409) return;
  if (!requestConfig.elt.matches?.("form[data-entry]")) return;
  target.tabIndex = -1;
  target.focus({ preventScroll: true });
  target.scrollIntoView({ block: "nearest" });
};

// The id of the form was used before: what stands in the form becomes another entry, under an id of its own.
const giveNextId = (message) => {
  const form = entryForm();
  if (!message?.dataset.nextFormId || !form || form !== lastSent) return;
  hidden(form, "form_id").value = message.dataset.nextFormId;
  keep(form);
};

const signIn = () => {
  const here = encodeURIComponent(location.pathname + location.search);
  return element("a", "Sign in and come back", {
    href: `${document.body.dataset.signIn}?next=${here}`,
  });
};

const showConnection = (message) => {
  const why = message.querySelector("[data-why]");
  const retry = message.querySelector("button");
  if (!why || !retry) return;
  why.textContent = navigator.onLine ? "The connection is back." : "There is no connection.";
  retry.textContent = navigator.onLine ? "Send now" : "Try again";
};

// A retry submits with the button that was pressed: it may answer a question.
const pressed = new WeakMap();
const retryButton = (form) => {
  const retry = element("button", "Try again", { type: "button", className: "btn btn-quiet" });
  retry.addEventListener("click", () => {
    const button = pressed.get(form);
    form.requestSubmit(form.contains(button) ? button : null);
  });
  return retry;
};

const REFUSALS = {
  404: "This course or entry does not exist any more.",
  413: "The text is too long.",
  429: "Too many requests came at once: wait a minute.",
};

const isForSecondMachine = (xhr) => xhr.getResponseHeader("CRS-Because") === "second-machine";
const SECOND_MACHINE_AWAY = "The second machine does not answer, and a save needs it.";

// Forms of which an earlier try may be stored: the refusal of a later one says nothing of that.
const unconfirmed = new Set();

// Returns [headline, reason, element to continue with]. Without a response, the server may have saved
// the entry all the same: it is safe to send it again.
const explanation = (xhr, form) => {
  const { status } = xhr;
  if (status !== 422 && isImpossible(form)) {
    return ["Not saved.", "A marked value is not possible. Correct it.", retryButton(form)];
  }
  const formId = hidden(form, "form_id").value;
  const needsSecond = isForSecondMachine(xhr);
  if (saysNotStored(xhr) && unconfirmed.has(formId)) {
    const away = needsSecond ? SECOND_MACHINE_AWAY : "Something else writes to this chart.";
    return ["Not confirmed.", `${away} An earlier try may be stored.`, retryButton(form)];
  }
  if (saysNotStored(xhr)) {
    const waited = "Something else writes to the chart of this patient for too long.";
    const why = `${needsSecond ? SECOND_MACHINE_AWAY : waited} Nothing was stored.`;
    return ["Not saved.", why, retryButton(form)];
  }
  if (needsSecond) {
    unconfirmed.add(formId);
    const why = "The database or its second machine has not confirmed it: it may be stored.";
    return ["Not confirmed.", why, retryButton(form)];
  }
  if (status === 401) return ["Not saved.", "You have been signed out.", signIn()];
  if (status === 403) {
    const reload = element("a", "Reload the page", { href: location.href });
    return ["Not saved.", "Not allowed, or your sign-in has changed.", reload];
  }
  if (status >= 400 && status < 500) {
    return ["Not saved.", REFUSALS[status] ?? "The server refused it.", retryButton(form)];
  }
  const silent = navigator.onLine ? "The server did not answer." : "There is no connection.";
  const down = status === 503 ? "The database does not answer." : "The server could not answer.";
  const why = status === 0 ? silent : down;
  return ["Not sent yet.", why, retryButton(form)];
};

const showFailure = (form, xhr) => {
  const { status } = xhr;
  const message = document.getElementById("entry-message");
  if (!message) return;
  const [headline, why, next] = explanation(xhr, form);
  const notes = [form.isConnected ? "What you typed is kept here." : "What you typed is kept."];
  const sentAt = Date.parse(hidden(form, "sent_at").value);
  if (sentAt) notes.push(`It will be saved with the time ${clockText(sentAt)}.`);
  if (!headline.startsWith("Not saved")) notes.push("It is safe to try again.");
  if (requestWords(xhr)) notes.push(requestWords(xhr));
  const reason = element("span", why);
  if (status === 0) reason.dataset.why = "";
  message.className = "message message-wrong";
  message.setAttribute("role", "alert");
  message.replaceChildren(element("strong", headline), " ", reason, " ", element("span", notes.join(" ")));
  if (form.isConnected || next.matches("a")) message.append(" ", next);
  message.scrollIntoView({ block: "nearest" });
};

// In a retry, an entry without a time keeps the time of the first save.
const keepSentTime = (form, at) => {
  const sent = hidden(form, "sent_at");
  if (!hasTime(form)) sent.value ||= new Date(at).toISOString();
  showTime(form);
  keep(form);
};

const isConfirmed = (xhr, target) =>
  xhr.status === 200 && xhr.responseText.includes(`id="${target.id}"`);

// Keeps an entry in the outbox from the moment at which it is sent; null where this page cannot encrypt.
const keepSent = (form, formData, at) => {
  if (!hasKey) return null;
  const formId = hidden(form, "form_id").value;
  const action = actionOf(form);
  const content = formContent(form, formData);
  keep(form); // a time may have been tidied since the last key
  markDraft(action, formId, content, at);
  const isStored = keepEntry(formId, at, contentSavedAt(content, at, hidden(form, "sent_at").value));
  isStored.then((isThere) => isThere && unmarkSaved(action, formId));
  return { formId, isStored, release: reserve(formId), arrived: underWay(formId), replaces: form.dataset.replaces };
};

// Only a form that charts a kind of entry can be used again without the server.
const isForNextEntry = (form) => /\/entries\/[a-z_]+\/$/.test(actionOf(form));

const moveToOutbox = (form, action, kept) => {
  dropDraft(action, kept.formId);
  dropReplaced(kept.replaces);
  if (form.isConnected && isForNextEntry(form)) renewForm(form, crypto.randomUUID(), typedSinceSent(form));
  else if (form.isConnected) {
    discard(form);
    form.replaceChildren();
  }
  showKept(document.getElementById("entry-message"), kept.formId);
  kept.release();
  sendUnsent();
};

const followSave = (event) => {
  const { elt: form, requestConfig, target, xhr } = event.detail;
  if (!form.matches?.("form[data-entry]") || requestConfig.verb !== "post") return;
  const at = now();
  const action = actionOf(form);
  const formId = hidden(form, "form_id").value;
  sentWith.set(form, contents(form));
  lastSent = form;
  pressed.set(form, requestConfig.triggeringEvent?.submitter);
  const kept = keepSent(form, requestConfig.formData, at);
  xhr.addEventListener("loadend", async () => {
    const isUnsent = !isConfirmed(xhr, target) && isUnreachable(xhr);
    if (kept && isUnsent && !isImpossible(form) && (await kept.isStored)) {
      moveToOutbox(form, action, kept);
      kept.arrived();
      nameOthers();
      return;
    }
    unmarkSaved(action, formId);
    if (isConfirmed(xhr, target)) {
      dropDraft(action, formId);
      if (kept && entryOf(formId)) confirmEntry(entryOf(formId));
      dropReplaced(kept?.replaces);
    } else {
      if (kept && entryOf(formId)) dropEntry(entryOf(formId));
      if (!REFUSED_BY_SERVER.includes(xhr.status)) {
        keepSentTime(form, at);
        showFailure(form, xhr);
      }
    }
    kept?.release();
    kept?.arrived();
    nameOthers();
    if (isConfirmed(xhr, target)) sendUnsent();
  });
};

// A form that is replaced by another one leaves no draft.
const discardReplaced = (event) => {
  const { elt: form, requestConfig, target, xhr } = event.detail;
  if (!form.matches?.("form[data-entry]") || requestConfig.verb !== "post") return;
  if (isConfirmed(xhr, target) && xhr.responseText.includes('data-renewed="yes"')) discard(form);
};

// A page from elsewhere, like that of a captive portal, is no confirmation: it is not swapped in.
const refuseForeignPage = (event) => {
  const { requestConfig, target, xhr } = event.detail;
  if (!requestConfig?.elt.matches("form[data-entry]") || requestConfig.verb !== "post") return;
  if (xhr.status === 200 && !isConfirmed(xhr, target)) event.detail.shouldSwap = false;
};

export const watchSaves = () => {
  document.body.addEventListener("htmx:beforeRequest", followSave);
  document.body.addEventListener("htmx:beforeOnLoad", discardReplaced);
  document.body.addEventListener("htmx:beforeSwap", refuseForeignPage);
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id !== "entry-message") return;
    const message = document.getElementById("entry-message");
    renew(message);
    giveNextId(message);
  });
  document.body.addEventListener("htmx:afterSettle", showConflict);
  for (const change of ["online", "offline"]) {
    addEventListener(change, () => {
      for (const message of document.querySelectorAll("#entry-message")) showConnection(message);
    });
  }
};

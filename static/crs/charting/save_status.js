// A Save on its way: the next form made ready once it is confirmed, and said aloud where it is not.

import { now } from "../clock.js";
import { convert } from "./conversion.js";
import { actionOf, nameOthers } from "../unsent/notices.js";
import { dropDraft } from "../unsent/store.js";
import { discard, hidden, keep, renewed, showTime, valuesOf } from "../unsent/forms.js";
import { BESIDE_A_VALUE, firstField } from "./entry_form.js";
import { clockText, hasTime } from "../site_time.js";

const REFUSED_BY_SERVER = [409, 422]; // answered with words of its own
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

// Not form.reset(): after a refusal that brings back what was refused. A choice's first is its blank.
// What was last ascribed to something else is proposed for the next entry.
const isProposed = (control) =>
  control.closest("#attribution[data-proposed]") && control.name.startsWith("attribution");
const empty = (form) => {
  for (const input of form.querySelectorAll("input:not([type=hidden]), textarea")) {
    if (isProposed(input)) continue;
    if (input.type === "checkbox") input.checked = false;
    else if (input.type === "radio") input.checked = input.value === "";
    else input.value = "";
  }
  for (const select of form.querySelectorAll("select")) {
    if (!select.matches(BESIDE_A_VALUE) && !isProposed(select)) select.selectedIndex = 0;
  }
  for (const wrong of form.querySelectorAll("[role=alert], [data-asks]")) wrong.remove();
  for (const wrong of form.querySelectorAll(".field-wrong, .field-asked")) {
    wrong.classList.remove("field-wrong", "field-asked");
  }
  for (const wrong of form.querySelectorAll("[aria-invalid]")) wrong.removeAttribute("aria-invalid");
};

// What was typed while the answer was on its way belongs to the next entry and stays, in the form
// that takes the place of the one it was typed in, too.
let lastSent = null;
const typedMeanwhile = (form) => {
  const before = sentWith.get(form);
  return [...contents(form)].filter(
    ([control, content]) => before?.has(control) && before.get(control) !== content,
  );
};
const bringOver = (old, form) => {
  if (!old || old === form || actionOf(old) !== actionOf(form)) return [];
  return typedMeanwhile(old)
    .map(([control, content]) => [form.elements.namedItem(control.name), content])
    .filter(([control]) => control instanceof HTMLElement);
};

const renew = (message) => {
  const form = entryForm();
  if (!message?.dataset.formId || !form) return;
  const meanwhile = lastSent === form ? typedMeanwhile(form) : bringOver(lastSent, form);
  if (message.dataset.renewed === "no") {
    empty(form);
    const emptyValues = valuesOf(form);
    for (const [control, content] of meanwhile) setContent(control, content);
    hidden(form, "form_id").value = message.dataset.formId;
    renewed(form, emptyValues);
    convert(form);
  } else for (const [control, content] of meanwhile) setContent(control, content);
  if (!meanwhile.length) firstField(form)?.focus({ preventScroll: true });
};

const element = (tag, text, more = {}) =>
  Object.assign(document.createElement(tag), { textContent: text, ...more });

const signIn = () => {
  const here = encodeURIComponent(location.pathname + location.search);
  return element("a", "Sign in and come back", {
    href: `${document.body.dataset.signIn}?next=${here}`,
  });
};

const sayConnection = (message) => {
  const why = message.querySelector("[data-why]");
  const retry = message.querySelector("button");
  if (!why || !retry) return;
  why.textContent = navigator.onLine ? "The connection is back." : "There is no connection.";
  retry.textContent = navigator.onLine ? "Send now" : "Try again";
};

// With the button that was pressed: it may have been the answer to a question.
const pressed = new WeakMap();
const retryButton = (form) => {
  const retry = element("button", "Try again", { type: "button", className: "btn btn-quiet" });
  retry.addEventListener("click", () => {
    const button = pressed.get(form);
    form.requestSubmit(form.contains(button) ? button : null);
  });
  return retry;
};

// Where nothing came back, the server may have saved it all the same.
const explanation = (status, form) => {
  if (status === 401) return ["Not saved.", "You have been signed out.", signIn()];
  if (status === 403) {
    const anew = element("a", "Load the page anew", { href: location.href });
    return ["Not saved.", "You may not do this, or somebody has signed in anew here.", anew];
  }
  if (status >= 400 && status < 500) {
    return ["Not saved.", "The server refused it.", retryButton(form)];
  }
  const silent = navigator.onLine ? "The server did not answer." : "There is no connection.";
  const why = status === 0 ? silent : "The server could not answer.";
  return ["Not confirmed.", why, retryButton(form)];
};

const tell = (form, status) => {
  const message = document.getElementById("entry-message");
  if (!message) return;
  const [lead, why, way] = explanation(status, form);
  const kept = [form.isConnected ? "What you typed is kept here." : "What you typed is kept."];
  const sentAt = Date.parse(hidden(form, "sent_at").value);
  if (sentAt) kept.push(`It keeps its time, ${clockText(sentAt)}.`);
  if (lead === "Not confirmed.") kept.push("Trying again cannot record it twice.");
  const reason = element("span", why);
  if (status === 0) reason.dataset.why = "";
  message.className = "message message-wrong";
  message.setAttribute("role", "alert");
  message.replaceChildren(element("strong", lead), " ", reason, " ", element("span", kept.join(" ")));
  if (form.isConnected || way.matches("a")) message.append(" ", way);
};

// Sent again, an entry without a time means the moment of the first Save.
const noteSent = (form, at) => {
  const sent = hidden(form, "sent_at");
  if (!hasTime(form)) sent.value ||= new Date(at).toISOString();
  showTime(form);
  keep(form);
};

const isConfirmed = (xhr, target) =>
  xhr.status === 200 && xhr.responseText.includes(`id="${target.id}"`);

const follow = (event) => {
  const { elt: form, requestConfig, target, xhr } = event.detail;
  if (!form.matches?.("form[data-entry]") || requestConfig.verb !== "post") return;
  const at = now();
  const action = actionOf(form);
  const formId = hidden(form, "form_id").value;
  sentWith.set(form, contents(form));
  lastSent = form;
  pressed.set(form, requestConfig.triggeringEvent?.submitter);
  xhr.addEventListener("loadend", () => {
    if (isConfirmed(xhr, target)) dropDraft(action, formId);
    else if (!REFUSED_BY_SERVER.includes(xhr.status)) {
      noteSent(form, at);
      tell(form, xhr.status);
    }
    nameOthers();
  });
};

// A form that another one takes the place of has nothing left to put back.
const settle = (event) => {
  const { elt: form, requestConfig, target, xhr } = event.detail;
  if (!form.matches?.("form[data-entry]") || requestConfig.verb !== "post") return;
  if (isConfirmed(xhr, target) && xhr.responseText.includes('data-renewed="yes"')) discard(form);
};

// A stranger's page in the answer's place, a hotspot's say, confirms nothing.
const onlyOurs = (event) => {
  const { requestConfig, target, xhr } = event.detail;
  if (!requestConfig?.elt.matches("form[data-entry]") || requestConfig.verb !== "post") return;
  if (xhr.status === 200 && !isConfirmed(xhr, target)) event.detail.shouldSwap = false;
};

export const watchSending = () => {
  document.body.addEventListener("htmx:beforeRequest", follow);
  document.body.addEventListener("htmx:beforeOnLoad", settle);
  document.body.addEventListener("htmx:beforeSwap", onlyOurs);
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id !== "entry-message") return;
    renew(document.getElementById("entry-message"));
  });
  for (const change of ["online", "offline"]) {
    addEventListener(change, () => {
      for (const message of document.querySelectorAll("#entry-message")) sayConnection(message);
    });
  }
};

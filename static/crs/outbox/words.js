// What an entry of the outbox is: what is sent, and what it says in the words of the form that it was typed in.

import { controls, hasValue, isChoice, isPreset, isUnit } from "../unsent/controls.js";
import { actionOf, labelOf } from "../unsent/notices.js";
import { clockText } from "../site_time.js";

const textOf = (element) => element?.textContent.replace(/\s+/g, " ").trim() ?? "";
const isTime = ({ name }) => /^observed_(date|time|which)$/.test(name);
const chosen = (control) => (control.matches("select") ? textOf(control.selectedOptions[0]) : control.value.trim());
const unitOf = (control) => {
  const measure = control.closest(".measure");
  const list = measure?.querySelector("input ~ select");
  return list && list !== control ? textOf(list.selectedOptions[0]) : textOf(measure?.querySelector(".unit"));
};

const partOf = (control) => {
  const label = textOf(control.labels?.[0]) || control.getAttribute("aria-label") || "";
  if (isChoice(control)) return label;
  return [label, chosen(control), unitOf(control)].filter(Boolean).join(" ");
};

const typedTime = (form) => {
  const [date, time] = ["observed_date", "observed_time"].map((name) => form.querySelector(`[name=${name}]`)?.value);
  return time ? [date, time].filter(Boolean).join(" ") : "";
};

const NOT_KEPT = ["csrfmiddlewaretoken", "sent_at"];

// Returns { title, words, when, patient } of a form; `when` is "" where no time is typed.
const describe = (form) => ({
  title: labelOf(actionOf(form)) ?? (textOf(form.querySelector("h2")) || "An answer"),
  words: controls(form)
    .filter((control) => hasValue(control) && !isPreset(control) && !isUnit(control) && !isTime(control))
    .map(partOf)
    .filter(Boolean)
    .join(" · "),
  when: typedTime(form),
  patient: textOf(document.querySelector(".patient-bar .who")),
});

// Returns what a form sends with `formData`, and what describes it, before it is saved.
export const formContent = (form, formData) => {
  const { pathname, search } = new URL(form.action);
  const fields = [...formData.entries()].filter(([name]) => !NOT_KEPT.includes(name));
  return { path: pathname + search, fields, ...describe(form) };
};

// Returns the content of an entry that is saved at `at`. The first try counts, at `sentAt` where there was one: "now",
// and a day that is not typed, are those of its time.
export const contentSavedAt = (content, at, sentAt) => ({
  ...content,
  fields: [...content.fields, ["sent_at", sentAt || new Date(at).toISOString()]],
  when: content.when || clockText(at),
});

const byName = ([one], [other]) => (one < other ? -1 : Number(one > other));
const inOrder = ({ path, fields }) => JSON.stringify([path, [...fields].sort(byName)]);

// Returns whether both send the same fields, in any order: htmx changes the order.
export const sendsSame = (one, other) => inOrder(one) === inOrder(other);

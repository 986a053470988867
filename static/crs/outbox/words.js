// What an entry of the outbox is, in the words of the form that it was typed in.

import { controls, hasValue, isChoice, isPreset, isUnit } from "../unsent/forms.js";
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

// Returns { title, words, when, patient } of a form that is saved at `at`.
export const describe = (form, at) => ({
  title: labelOf(actionOf(form)) ?? (textOf(form.querySelector("h2")) || "An answer"),
  words: controls(form)
    .filter((control) => hasValue(control) && !isPreset(control) && !isUnit(control) && !isTime(control))
    .map(partOf)
    .filter(Boolean)
    .join(" · "),
  when: typedTime(form) || clockText(at),
  patient: textOf(document.querySelector(".patient-bar .who")),
});

// Converts a typed dose or temperature to the unit that grading uses, and shows the calculation.

import { over, parse, shown, times } from "./decimal.js";

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
    const converted = times(rate, parse(weight));
    return `${shown(rate)} ${mass}/kg/min × ${weight} kg = ${shown(converted)} ${mass}/min`;
  }
  if (unit === "ml/h") {
    const concentration = parse(field(form, "concentration_per_ml")?.value);
    if (!concentration) return "";
    const substance = drug === "vasopressin" ? "units" : "mcg";
    const converted = over(times(rate, concentration), 60n);
    return `${shown(rate)} mL/h × ${shown(concentration)} ${substance}/mL ÷ 60 = ${shown(converted)} ${substance}/min`;
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
  const converted = over({ units: (number.units - thirtyTwo) * 5n, places: number.places }, 9n);
  return `${shown(number)} °F = ${shown(converted, 2)} °C`;
};

// Where the site charts norepinephrine as bitartrate, the converted dose is of bitartrate.
const asBitartrate = (form, text) => {
  const chartsBitartrate = form.querySelector('[data-convention="bitartrate"]');
  const isCharted = chartsBitartrate && field(form, "drug").value === "norepinephrine";
  return text && isCharted ? `${text} as bitartrate; half of it, the base, counts` : text;
};

export const convert = (form) => {
  const line = form.querySelector("[data-conversion]");
  if (!line) return;
  const text = field(form, "rate") ? asBitartrate(form, dose(form)) : celsius(form);
  line.textContent = text;
  line.hidden = !text;
};

// What single fields do by themselves: a time of day typed as digits gets its colon, and what a
// dose unit does not need stays out of the way. Without this file every field is simply there.

const TIME = /^(\d{1,2})[:.hH ]?(\d{2})$/;

const tidyTime = (input) => {
  const found = TIME.exec(input.value.trim());
  if (found) input.value = `${found[1].padStart(2, "0")}:${found[2]}`;
};

const NEEDED_BY = {
  concentration_per_ml: (unit) => unit === "ml/h",
  weight_kg: (unit) => unit.includes("/kg/"),
};

const discloseFor = (form) => {
  const unit = form.querySelector("[name=rate]") && form.querySelector("[name=unit]");
  if (!unit) return;
  const substance = form.querySelector("[name=drug]").value === "vasopressin" ? "units" : "mcg";
  form.querySelector("[data-field=concentration_per_ml] .unit").textContent = `${substance}/mL`;
  for (const [name, isNeeded] of Object.entries(NEEDED_BY)) {
    const field = form.querySelector(`[data-field=${name}]`);
    const isUsed = field.querySelector("input").value || field.matches(".field-wrong");
    field.hidden = !isNeeded(unit.value) && !isUsed;
  }
};

export const readyFields = (root = document) => {
  for (const form of root.querySelectorAll("form[data-entry]")) discloseFor(form);
  for (const input of root.querySelectorAll("[data-time]")) input.inputMode = "numeric";
};

export const watchFields = () => {
  readyFields();
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-time]")) tidyTime(event.target);
    const form = event.target.closest("form[data-entry]");
    if (form) discloseFor(form);
  });
  // Enter sends before a change is told.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches?.("[data-time]")) tidyTime(event.target);
  });
  document.body.addEventListener("htmx:afterSettle", () => readyFields());
};

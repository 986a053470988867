// Adds the colon to a time of day typed as digits, and hides the fields that the chosen dose unit or
// device does not need. Without this file all fields are shown.

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

// Shows the question what a ventilator is for, of a ventilator alone, and its answers after "no oxygen needed".
const discloseForVentilator = (form) => {
  const row = form.querySelector("[data-purpose]");
  if (!row) return;
  const [needs, purpose] = ["needs_oxygen", "purpose"].map((name) => form.querySelector(`[name=${name}]`));
  const isUsed = needs.value || purpose.value || row.querySelector(".field-wrong");
  row.hidden = form.querySelector("[name=device]").value !== "invasive_ventilation" && !isUsed;
  const offered = needs.value === "no" || purpose.value || row.querySelector(".field-wrong");
  row.querySelector("[data-field=purpose]").hidden = !offered;
};

const readyFields = (root = document) => {
  for (const form of root.querySelectorAll("form[data-entry]")) {
    discloseFor(form);
    discloseForVentilator(form);
  }
  for (const input of root.querySelectorAll("[data-time]")) input.inputMode = "numeric";
};

export const watchFields = () => {
  readyFields();
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-time]")) tidyTime(event.target);
    const form = event.target.closest("form[data-entry]");
    if (form) {
      discloseFor(form);
      discloseForVentilator(form);
    }
  });
  // Enter submits before the change event.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches?.("[data-time]")) tidyTime(event.target);
  });
  document.body.addEventListener("htmx:afterSettle", () => readyFields());
};

// Fills the vasopressor form from a button, never without one: with the last concentration of the
// drug, or with all values but the rate of a running infusion that is to be changed.

const setField = (form, name, value) => {
  const field = form.querySelector(`[name=${name}]`);
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.dispatchEvent(new Event("change", { bubbles: true }));
};

const change = (form, { drug, unit, concentration, weight }) => {
  setField(form, "drug", drug);
  setField(form, "unit", unit);
  setField(form, "concentration_per_ml", concentration);
  setField(form, "weight_kg", weight);
  for (const checkbox of form.querySelectorAll("[name=stopped], [name=dose_not_known]")) {
    checkbox.checked = false;
  }
  const rate = form.querySelector("[name=rate]");
  rate.dataset.last = ""; // so that Enter saves
  rate.focus();
};

const use = (form, concentration) => {
  setField(form, "unit", "ml/h");
  setField(form, "concentration_per_ml", concentration);
  const rate = form.querySelector("[name=rate]");
  (rate.value ? form.querySelector("[name=concentration_per_ml]") : rate).focus();
};

const update = (form) => {
  const drug = form.querySelector("[name=drug]")?.value;
  if (drug === undefined) return;
  if (!drug) delete form.querySelector("[name=rate]").dataset.last;
  const concentration = form.querySelector("[name=concentration_per_ml]").value;
  const unit = form.querySelector("[name=unit]").value;
  for (const item of form.querySelectorAll("[data-concentration-for]")) {
    const button = item.querySelector("[data-concentration]");
    const isWanted = item.dataset.concentrationFor === drug && ["", "ml/h"].includes(unit);
    item.hidden = !button || !isWanted || button.dataset.concentration === concentration;
  }
  form.querySelector("[data-convention]").hidden = drug !== "norepinephrine";
};

const showButtons = () => {
  for (const button of document.querySelectorAll("[data-change], [data-concentration-for] button")) {
    button.hidden = false;
  }
  for (const form of document.querySelectorAll("form[data-entry]")) update(form);
};

export const watchConcentrations = () => {
  showButtons();
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-change], [data-concentration-for] button");
    if (!button) return;
    if (button.matches("[data-change]")) change(button.form, button.dataset);
    else use(button.form, button.dataset.concentration);
  });
  for (const type of ["input", "change"]) {
    document.addEventListener(type, (event) => {
      const form = event.target.closest("form[data-entry]");
      if (!form) return;
      if (event.isTrusted && event.target.name === "drug") {
        delete form.querySelector("[name=rate]")?.dataset.last;
      }
      update(form);
    });
  }
  document.body.addEventListener("htmx:afterSettle", showButtons);
};

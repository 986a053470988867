// What is known of a syringe is taken over by a tap, never by itself: the concentration charted
// last for the drug, and everything but the rate of an infusion that is to be changed.

const fill = (form, name, value) => {
  const field = form.querySelector(`[name=${name}]`);
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.dispatchEvent(new Event("change", { bubbles: true }));
};

const change = (form, { drug, unit, concentration, weight }) => {
  fill(form, "drug", drug);
  fill(form, "unit", unit);
  fill(form, "concentration_per_ml", concentration);
  fill(form, "weight_kg", weight);
  for (const tick of form.querySelectorAll("[name=stopped], [name=dose_not_known]")) {
    tick.checked = false;
  }
  const rate = form.querySelector("[name=rate]");
  rate.dataset.last = ""; // Enter saves: nothing else is asked
  rate.focus();
};

const use = (form, concentration) => {
  fill(form, "unit", "ml/h");
  fill(form, "concentration_per_ml", concentration);
  const rate = form.querySelector("[name=rate]");
  (rate.value ? form.querySelector("[name=concentration_per_ml]") : rate).focus();
};

const show = (form) => {
  const drug = form.querySelector("[name=drug]")?.value;
  if (drug === undefined) return;
  if (!drug) delete form.querySelector("[name=rate]").dataset.last;
  const concentration = form.querySelector("[name=concentration_per_ml]").value;
  const unit = form.querySelector("[name=unit]").value;
  for (const item of form.querySelectorAll("[data-syringe]")) {
    const key = item.querySelector("[data-concentration]");
    const isWanted = item.dataset.syringe === drug && ["", "ml/h"].includes(unit);
    item.hidden = !key || !isWanted || key.dataset.concentration === concentration;
  }
  form.querySelector("[data-convention]").hidden = drug !== "norepinephrine";
};

const ready = () => {
  for (const key of document.querySelectorAll("[data-change], [data-syringe] button")) {
    key.hidden = false;
  }
  for (const form of document.querySelectorAll("form[data-entry]")) show(form);
};

export const watchSyringes = () => {
  ready();
  document.addEventListener("click", (event) => {
    const key = event.target.closest("[data-change], [data-syringe] button");
    if (!key) return;
    if (key.matches("[data-change]")) change(key.form, key.dataset);
    else use(key.form, key.dataset.concentration);
  });
  for (const told of ["input", "change"]) {
    document.addEventListener(told, (event) => {
      const form = event.target.closest("form[data-entry]");
      if (!form) return;
      if (event.isTrusted && event.target.name === "drug") {
        delete form.querySelector("[name=rate]")?.dataset.last;
      }
      show(form);
    });
  }
  document.body.addEventListener("htmx:afterSettle", ready);
};

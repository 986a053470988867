// Questions and refusals above a form: "Change it" leads to the value, and one tap corrects a value
// that was typed in another unit. Without this file the fields are corrected by hand.

const boxOf = (form, name) => form?.querySelector(`[name="${CSS.escape(name)}"]`);

const changeIt = (button) => {
  const box = boxOf(button.closest("form"), button.dataset.changeIt);
  if (!box) return;
  box.focus();
  if (box.select) box.select();
};

const correct = (button) => {
  const form = button.closest("form");
  const unit = boxOf(form, button.dataset.remedy);
  if (!unit) return;
  unit.value = button.dataset.remedyValue;
  for (const kind of ["input", "change"]) unit.dispatchEvent(new Event(kind, { bubbles: true }));
  const refusal = button.closest("[data-wrong]");
  const box = boxOf(form, refusal.dataset.wrong);
  box?.removeAttribute("aria-invalid");
  box?.closest(".field-wrong")?.classList.remove("field-wrong");
  const summary = refusal.closest(".refusal");
  refusal.remove();
  if (!summary.querySelector("p")) summary.remove();
  form.querySelector("#save")?.focus();
};

const readyQuestions = () => {
  for (const button of document.querySelectorAll("[data-remedy]")) button.hidden = false;
};

export const watchQuestions = () => {
  readyQuestions();
  document.addEventListener("click", (event) => {
    const change = event.target.closest("[data-change-it]");
    const remedy = event.target.closest("[data-remedy]");
    if (change) changeIt(change);
    if (remedy) correct(remedy);
  });
  document.body.addEventListener("htmx:afterSettle", readyQuestions);
};

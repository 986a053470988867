// The choice between two doses on a card: the button that charts one waits until one is chosen, and the
// choice stays over a refresh of the panel. Without this file the form asks for the dose.

const WAITS = "Given: choose a dose first";
const chosen = new Map();

const ready = (article) => {
  const button = article.querySelector("[data-given]");
  const dose = article.querySelector("[data-dose]:checked")?.value;
  if (!button) return;
  button.textContent = dose ? `${dose}\u00a0mg given…` : WAITS;
  if (dose) button.removeAttribute("aria-disabled");
  else button.setAttribute("aria-disabled", "true");
};

const readyDoses = () => {
  for (const article of document.querySelectorAll(".advice:has([data-dose])")) {
    const radio = article.querySelector(`[data-dose][value="${chosen.get(article.id) ?? ""}"]`);
    if (radio) radio.checked = true;
    ready(article);
  }
};

export const watchDoses = () => {
  readyDoses();
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-dose]")) return;
    const article = event.target.closest(".advice");
    chosen.set(article.id, event.target.value);
    ready(article);
  });
  // Before htmx: the form opens with the dose that was chosen, and not without one.
  document.addEventListener(
    "click",
    (event) => {
      const button = event.target.closest("[data-given]");
      if (!button || button.getAttribute("aria-disabled") !== "true") return;
      event.preventDefault();
      event.stopImmediatePropagation();
      button.closest(".advice").querySelector("[data-dose]").focus();
    },
    true,
  );
  document.body.addEventListener("htmx:configRequest", (event) => {
    const button = event.target.closest("[data-given]");
    const dose = button?.closest(".advice").querySelector("[data-dose]:checked")?.value;
    if (dose) event.detail.parameters.dose = dose;
  });
  document.body.addEventListener("htmx:afterSettle", readyDoses);
  document.body.addEventListener("htmx:oobAfterSwap", readyDoses);
};

// Fills in the reason of a correction from a button, and selects a number on focus so that typing
// replaces it.

export const watchReasons = () => {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-reason]");
    if (!button) return;
    const reason = button.closest("form").querySelector("[name=reason]");
    reason.value = button.textContent.trim();
    reason.dispatchEvent(new Event("input", { bubbles: true }));
  });
  document.addEventListener("focusin", (event) => {
    if (!event.target.matches("input[data-number]")) return;
    if (event.target.closest("form").querySelector("[name=reason]")) event.target.select();
  });
};

// A correction by few taps: a usual reason is one, and what was charted is replaced by typing.

export const watchReasons = () => {
  document.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-reason]");
    if (!chip) return;
    const reason = chip.closest("form").querySelector("[name=reason]");
    reason.value = chip.textContent.trim();
    reason.dispatchEvent(new Event("input", { bubbles: true }));
  });
  document.addEventListener("focusin", (event) => {
    if (!event.target.matches("input[data-number]")) return;
    if (event.target.closest("form").querySelector("[name=reason]")) event.target.select();
  });
};

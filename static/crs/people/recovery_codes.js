// The page that shows recovery codes this once: saves them as a file, or prints them.

export function watchRecoveryCodes() {
  const codes = document.querySelector("[data-recovery-codes]");
  if (!codes) return;
  const save = document.querySelector("[data-save-codes]");
  const print = document.querySelector("[data-print-codes]");
  save.hidden = print.hidden = false;
  save.addEventListener("click", () => {
    const address = URL.createObjectURL(new Blob([codes.textContent], { type: "text/plain" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = "recovery-codes.txt";
    link.click();
    URL.revokeObjectURL(address);
  });
  print.addEventListener("click", () => window.print());
}

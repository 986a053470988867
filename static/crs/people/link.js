// The page that shows a one-time link: copies it, or prints it on a slip.

export function watchOneTimeLink() {
  const link = document.querySelector("[data-link]");
  if (!link) return;
  const copy = document.querySelector("[data-copy-link]");
  const print = document.querySelector("[data-print-link]");
  if (navigator.clipboard) {
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(link.textContent.trim());
      copy.textContent = "Copied";
    });
  }
  print.hidden = false;
  print.addEventListener("click", () => window.print());
}

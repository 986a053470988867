// Exports: once the browser has sent the form, starts to ask how far the file is.

export function watchExports() {
  const form = document.querySelector("#export-form");
  form?.addEventListener("submit", () => {
    const progress = document.querySelector("#export-progress");
    if (progress) window.htmx.trigger(progress, "export:sent");
  });
}

// Exports: asks how far the file is, once the browser has sent the form by itself.

export function watchExports() {
  const form = document.querySelector("#export-form");
  form?.addEventListener("submit", () => {
    const progress = document.querySelector("#export-progress");
    if (progress) window.htmx.trigger(progress, "export:sent");
  });
}

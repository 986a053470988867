// Runs before the page is painted, so that a dark ward sees no white flash.
(() => {
  const kept = localStorage.getItem("crs-theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = (theme) => {
    document.documentElement.dataset.bsTheme = theme;
  };
  apply(kept ?? (dark.matches ? "dark" : "light"));
  dark.addEventListener("change", () => {
    if (!localStorage.getItem("crs-theme")) apply(dark.matches ? "dark" : "light");
  });
})();

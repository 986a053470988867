// Sets the theme before the first paint, so that a dark room sees no white flash.
(() => {
  const chosen = localStorage.getItem("crs-theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = (theme) => {
    document.documentElement.dataset.bsTheme = theme;
  };
  apply(chosen ?? (dark.matches ? "dark" : "light"));
  // Paper is light.
  addEventListener("beforeprint", () => apply("light"));
  addEventListener("afterprint", () => apply(localStorage.getItem("crs-theme") ?? (dark.matches ? "dark" : "light")));
  dark.addEventListener("change", () => {
    if (!localStorage.getItem("crs-theme")) apply(dark.matches ? "dark" : "light");
  });
})();

// Sets the theme before the first paint, so that a dark room sees no white flash.
(() => {
  // A browser may refuse its storage.
  const stored = () => {
    try {
      return localStorage.getItem("crs-theme");
    } catch {
      return null;
    }
  };
  const chosen = stored();
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = (theme) => {
    document.documentElement.dataset.bsTheme = theme;
  };
  apply(chosen ?? (dark.matches ? "dark" : "light"));
  // Paper is light.
  addEventListener("beforeprint", () => apply("light"));
  addEventListener("afterprint", () => apply(stored() ?? (dark.matches ? "dark" : "light")));
  dark.addEventListener("change", () => {
    if (!stored()) apply(dark.matches ? "dark" : "light");
  });
})();

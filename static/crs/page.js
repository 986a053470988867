import { watchClock } from "./clock.js";
import { watchEntries } from "./entry.js";

const toggle = document.querySelector("[data-theme-toggle]");
if (toggle) {
  const root = document.documentElement;
  const label = () => {
    toggle.textContent = root.dataset.bsTheme === "dark" ? "Light" : "Dark";
  };
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    root.dataset.bsTheme = root.dataset.bsTheme === "dark" ? "light" : "dark";
    localStorage.setItem("crs-theme", root.dataset.bsTheme);
    label();
  });
  label();
}

watchClock();
watchEntries();

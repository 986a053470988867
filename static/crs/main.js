import { watchAttribution } from "./charting/attribution.js";
import { watchClock } from "./clock.js";
import { watchDrafts } from "./unsent/forms.js";
import { watchEntries } from "./charting/entry_form.js";
import { watchFields } from "./charting/fields.js";
import { watchGuidance } from "./guidance/guidance.js";
import { watchReasons } from "./charting/reasons.js";
import { watchLabs } from "./charting/laboratory.js";
import { watchSyringes } from "./charting/concentrations.js";
import { watchSending } from "./charting/save_status.js";
import { watchShortcuts } from "./charting/shortcuts.js";
import { watchTaps } from "./guidance/quick_actions.js";
import { watchShown } from "./shown.js";
import { watchToxicity } from "./charting/toxicity.js";

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

// An open menu closes when something else, or one of its links, is chosen.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(".row-menu[open]")) {
    if (!menu.contains(event.target) || event.target.closest("a")) menu.open = false;
  }
});

watchDrafts(); // before what works on the values it puts back
watchAttribution();
watchReasons();
watchClock();
watchToxicity(); // before the hand is put into its field
watchEntries();
watchSending();
watchFields();
watchGuidance();
watchLabs();
watchSyringes();
watchShortcuts();
watchTaps();
watchShown();

import { watchAttribution } from "./attribution.js";
import { watchClock } from "./clock.js";
import { watchDrafts } from "./drafts.js";
import { watchEntries } from "./entry.js";
import { watchFields } from "./fields.js";
import { watchGuidance } from "./guidance.js";
import { watchReasons } from "./reasons.js";
import { watchLabs } from "./labs.js";
import { watchSyringes } from "./syringes.js";
import { watchSending } from "./sending.js";
import { watchShortcuts } from "./shortcuts.js";
import { watchTaps } from "./taps.js";
import { watchTimeline } from "./timeline.js";
import { watchToxicity } from "./toxicity.js";

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
watchTimeline();

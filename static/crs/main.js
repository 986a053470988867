import "./trusted_types.js"; // before htmx reads its first answer
import "./foreign_pages.js"; // so is this
import { watchAttribution } from "./charting/attribution.js";
import { watchClock } from "./clock.js";
import { watchConnection } from "./connection.js";
import { watchDates } from "./date_words.js";
import { watchDrafts } from "./unsent/forms.js";
import { watchExports } from "./exchange/export.js";
import { watchEntryForm } from "./charting/entry_form.js";
import { watchDoses } from "./guidance/doses.js";
import { watchFields } from "./charting/fields.js";
import { watchIceRound } from "./charting/ice_round.js";
import { watchGuidance } from "./guidance/guidance.js";
import { watchRefusals } from "./refusals.js";
import { watchRequests } from "./requests.js";
import { watchReasons } from "./charting/reasons.js";
import { watchOneTimeLink } from "./people/link.js";
import { watchKeys } from "./people/keys.js";
import { watchRecoveryCodes } from "./people/recovery_codes.js";
import { watchSwitch } from "./people/switch.js";
import { watchOutboxStore } from "./outbox/store.js";
import { watchOutbox } from "./outbox/strip.js";
import { watchSender } from "./outbox/sender.js";
import { watchKeptMessages } from "./outbox/kept_message.js";
import { watchTaps } from "./outbox/taps.js";
import { watchWorker } from "./outbox/worker.js";
import { watchNotices } from "./bedside/notices.js";
import { watchLastDay } from "./bedside/last_day.js";
import { watchReceived } from "./bedside/received.js";
import { watchScales } from "./bedside/scales.js";
import { watchIdle } from "./idle.js";
import { watchPageUser } from "./page_user.js";
import { watchPageVersion } from "./page_version.js";
import { watchPrinting } from "./printed.js";
import { watchKeptForms } from "./bedside/kept_forms.js";
import { watchKinds } from "./bedside/kinds.js";
import { watchLabs } from "./charting/laboratory.js";
import { watchLimits } from "./charting/limits.js";
import { watchQuestions } from "./charting/questions.js";
import { watchConcentrations } from "./charting/concentrations.js";
import { watchLive } from "./live.js";
import { watchSaves } from "./charting/save_status.js";
import { watchSaving } from "./charting/saving.js";
import { watchShortcuts } from "./charting/shortcuts.js";
import { watchQuickActions } from "./guidance/quick_actions.js";
import { watchSearches } from "./searches.js";
import { watchShown } from "./shown.js";
import { store } from "./storage.js";
import { watchTimeline } from "./timeline.js";
import { watchToxicity } from "./charting/toxicity.js";
import { watchBoard } from "./ward/board.js";

const toggle = document.querySelector("[data-theme-toggle]");
if (toggle) {
  const root = document.documentElement;
  const label = () => {
    toggle.textContent = root.dataset.bsTheme === "dark" ? "Light" : "Dark";
  };
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    root.dataset.bsTheme = root.dataset.bsTheme === "dark" ? "light" : "dark";
    store("crs-theme", root.dataset.bsTheme);
    label();
  });
  label();
}

// Closes an open menu on a click outside it or on one of its links.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(".row-menu[open]")) {
    if (!menu.contains(event.target) || event.target.closest("a")) menu.open = false;
  }
});

// A page that comes back with faults: the cursor stands in the first field to correct.
document.querySelector("#main [aria-invalid='true']")?.focus();

watchDrafts(); // before the scripts that read the restored values
watchAttribution();
watchReasons();
watchRefusals();
watchClock();
watchIceRound(); // after the drafts are restored, before the focus is moved
watchToxicity(); // before the focus is moved into its field
watchQuestions(); // its buttons are shown before the form is brought into view
watchEntryForm();
watchSaves();
watchFields();
watchGuidance();
watchRequests();
watchDoses();
watchLabs();
watchConcentrations();
watchShortcuts();
watchQuickActions();
watchShown();
watchSearches();
watchKinds();
watchKeptForms();
watchNotices();
watchScales();
watchLimits();
watchDates();
watchBoard();
watchTimeline();
watchLive();
watchLastDay();
watchReceived();
watchSaving();
watchConnection();
watchOutboxStore();
watchOutbox();
watchKeptMessages();
watchTaps();
watchSender();
watchWorker();
watchPageUser();
watchPageVersion();
watchIdle();
watchPrinting();
watchOneTimeLink();
watchKeys();
watchRecoveryCodes();
watchSwitch();
watchExports();

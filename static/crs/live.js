// The one poll of the bedside page. The request says what each part shows; the response has the parts
// that differ. What is typed is not touched, open details stay open, and the focus stays.

import { requestUpdate } from "./clock.js";
import { POLL_HEADER } from "./poll_header.js";
import { formParts } from "./shown.js";
import { mergeRows, timelineShown } from "./timeline.js";

const LIVE_HEADER = "CRS-Live";
const KEPT = ["values", "timeline", "state"]; // signatures without an element of their own on the page
const PARTS = { card: "grade-card", guidance: "guidance", banner: "banner" };

const live = () => document.getElementById("live");
const signatureOf = (id) => document.getElementById(id)?.dataset.signature ?? "";

const shown = () => ({
  ...Object.fromEntries(Object.entries(PARTS).map(([part, id]) => [part, signatureOf(id)])),
  ...Object.fromEntries(KEPT.map((part) => [part, live().dataset[part]])),
  fields: [...document.querySelectorAll(".previous[id^=previous-]")]
    .map(({ id }) => id.replace("previous-", ""))
    .join(),
  parts: formParts(),
  ...timelineShown(),
});

const addParameters = ({ detail }) => {
  if (detail.elt.id !== "live") return;
  detail.headers[POLL_HEADER] = "yes";
  for (const [name, value] of Object.entries(shown())) detail.parameters.set(name, value);
};

// A poll that was sent before a save was answered may know less than the page: it is asked again.
let savesBegun = 0;
let savesEnded = 0;
let savesAtPoll = 0;
const noteRequest = ({ detail: { requestConfig, xhr } }) => {
  if (requestConfig.elt.id === "live") savesAtPoll = savesEnded;
  if (requestConfig.verb !== "post") return;
  savesBegun += 1;
  xhr.addEventListener("loadend", () => {
    savesEnded += 1;
  });
};
const isOutOfDate = () => savesBegun !== savesEnded || savesAtPoll !== savesEnded;

const onResponse = (event) => {
  const { elt, xhr } = event.detail;
  if (elt.id !== "live") return;
  if (isOutOfDate()) {
    event.preventDefault();
    setTimeout(requestUpdate, 1_000);
    return;
  }
  const signatures = JSON.parse(xhr.getResponseHeader(LIVE_HEADER) ?? "{}");
  for (const part of KEPT) if (signatures[part]) live().dataset[part] = signatures[part];
};

// What the user has done to a part since it was shown: opened details, ticks, and the focus on the
// summary of details.
let before = null;
const noteState = (target) => {
  const focused = document.activeElement?.closest("summary")?.parentElement;
  before = {
    open: [...target.querySelectorAll("details[open][id]")].map(({ id }) => id),
    ticks: [...target.querySelectorAll("[type=checkbox]:checked")].map(({ name, value }) => [name, value]),
    focused: focused && target.contains(focused) ? focused.id : "",
  };
};
const restoreState = () => {
  if (!before) return;
  for (const id of before.open) document.getElementById(id)?.setAttribute("open", "");
  if (before.focused) document.querySelector(`#${CSS.escape(before.focused)} > summary`)?.focus();
  const gone = [];
  for (const [name, value] of before.ticks) {
    const tick = document.querySelector(`#unchanged [name="${CSS.escape(name)}"]`);
    if (tick?.value === value) tick.checked = true;
    else gone.push(name);
  }
  if (gone.length) {
    document.getElementById("announcer").textContent =
      "What you ticked as unchanged was changed by someone else. Check it and tick again.";
  }
  before = null;
};

const isFromPoll = (event) => event.detail.requestConfig?.elt.id === "live";
let polling = false;

export const watchLive = () => {
  if (!live()) return;
  const { body } = document;
  body.addEventListener("htmx:configRequest", addParameters);
  body.addEventListener("htmx:beforeRequest", noteRequest);
  body.addEventListener("htmx:beforeOnLoad", onResponse);
  body.addEventListener("htmx:beforeSwap", (event) => {
    polling = isFromPoll(event);
  });
  body.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    if (target.id === "row-not-loaded") {
      event.detail.shouldSwap = false;
      requestUpdate(); // its row belongs above one that another user charted since the last poll
    } else if (polling && target.id === "timeline-rows") {
      event.detail.shouldSwap = false;
      mergeRows(target, fragment.firstElementChild);
    } else if (polling) noteState(target);
  });
  body.addEventListener("htmx:oobAfterSwap", () => {
    if (polling) restoreState();
  });
};

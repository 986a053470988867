// The ward board and the wall: the key that leads to the search, and the notice when the page is not
// updated. The clock of the wall goes on, so that people see how old the page is.

import { now } from "../clock.js";
import { singleKeysAreOff } from "../charting/shortcuts.js";
import { clockText } from "../site_time.js";

const SILENT_FOR = 180_000; // without an answer, for example because the tablet slept
const CHECK_EVERY = 10_000;
const SECOND = 1_000;

let hasFailed = false;
let heardAt = now();

const panel = () => document.querySelector("[data-board]");

const showState = () => {
  const isBlind = hasFailed || now() - heardAt > SILENT_FOR;
  const notice = document.querySelector("[data-board-blind]");
  if (isBlind === panel().hasAttribute("data-blind")) return;
  panel().toggleAttribute("data-blind", isBlind);
  for (const text of document.querySelectorAll("[data-blind-since]")) {
    text.textContent = clockText(heardAt);
  }
  notice.hidden = !isBlind;
};

const heard = () => {
  hasFailed = false;
  heardAt = now();
  const text = document.querySelector("[data-heard]");
  if (text) text.textContent = clockText(heardAt);
  showState();
};

const failed = () => {
  hasFailed = true;
  showState();
};

const showTime = () => {
  const clock = document.querySelector("[data-time-now]");
  if (clock) clock.textContent = clockText(now());
};

const isOfBoard = ({ detail }) => detail.target?.id === "board";

const focusSearch = (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (singleKeysAreOff() || event.target.matches?.("input, select, textarea")) return;
  const search = document.getElementById("board-search");
  if (!search) return;
  event.preventDefault();
  search.select();
};

// An address names only what was asked for.
const leaveOutEmpty = ({ detail }) => {
  if (detail.elt.id !== "board-form") return;
  for (const [name, value] of [...detail.formData]) if (value === "") detail.formData.delete(name);
};

export const watchBoard = () => {
  if (!panel()) return;
  document.addEventListener("keydown", focusSearch);
  document.body.addEventListener("htmx:configRequest", leaveOutEmpty);
  document.body.addEventListener("htmx:beforeOnLoad", (event) => {
    if (!isOfBoard(event)) return;
    if (event.detail.xhr.status < 400) heard();
    else failed();
  });
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    document.body.addEventListener(name, (event) => isOfBoard(event) && failed());
  }
  document.querySelector("[data-try-now]")?.addEventListener("click", () => {
    document.body.dispatchEvent(new Event("crs:clock"));
  });
  setInterval(showState, CHECK_EVERY);
  setInterval(showTime, SECOND);
};

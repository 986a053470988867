// The guidance panel's hand: what was opened stays open over a refresh, an answer leaves the focus
// where it was given, a send that fails says so, and a first rise of the grade interrupts once. A save
// is answered with the panel only where it reads otherwise than it did when the save was sent.

import { SHOWN } from "../shown.js";

const panel = () => document.getElementById("guidance");

let open = new Set();
const rememberOpen = () => {
  open = new Set([...(panel()?.querySelectorAll("details[open]") ?? [])].map(({ id }) => id));
};
const reopen = () => {
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
};

// One tap at a time: what comes while its answer is on the way would take its place in the page.
let sending = false;
const oneAtATime = (event) => {
  const { verb } = event.detail.requestConfig;
  if (!event.target.closest?.("#guidance")) return;
  if (verb === "get" && sending && event.target.id === "guidance") event.preventDefault();
  if (verb !== "post") return;
  sending = true;
  event.detail.xhr.addEventListener("loadend", arrived);
};
const arrived = () => {
  sending = false;
};

// The button that was tapped is gone with its answer: the item's own line takes the focus.
let answering = null;
const noteAnswer = (event) => {
  if (event.target.closest?.("#guidance") && event.detail.requestConfig?.verb === "post") {
    answering = event.target.closest(".advice")?.id ?? "guidance";
  }
};
const returnFocus = () => {
  if (!answering || document.activeElement !== document.body) return;
  const line = document.getElementById(`${answering}-summary`);
  (line ?? document.getElementById("guidance-title"))?.focus({ preventScroll: true });
};

const failed = (event) => {
  if (!event.target.closest?.("#guidance") || event.detail.requestConfig?.verb !== "post") return;
  const status = event.detail.xhr?.status ?? 0;
  // Where nothing came back, the server may have saved it all the same; a tap counts once.
  const lead = status === 0 || status >= 500 ? "Not confirmed." : "Not saved.";
  const why =
    {
      0: "There is no connection.",
      401: "You have been signed out: sign in again.",
      403: "You may not do this, or have signed in anew elsewhere.",
    }[status] ?? "The server could not save it.";
  const message = document.createElement("p");
  message.className = "message message-wrong";
  message.setAttribute("role", "alert");
  message.textContent = `${lead} ${why} Tap again.`;
  document.getElementById("guidance-message")?.replaceChildren(message);
};

const look = () => document.body.dispatchEvent(new Event("crs:clock"));
// The panel may have been replaced while the save was on the way, by one that was made before it.
const compare = ({ detail: { xhr } }) => {
  const due = xhr.getResponseHeader(SHOWN)?.split("guidance=")[1];
  if (due && panel() && panel().dataset.signature !== due) look();
};

const seenKey = (rise) => `crs-rise:${rise.dataset.rise}`;
const interrupt = () => {
  const rise = document.querySelector("[data-rise]");
  if (!rise || !rise.hidden || sessionStorage.getItem(seenKey(rise)) === "dismissed") return;
  rise.hidden = false;
  if (sessionStorage.getItem(seenKey(rise))) return;
  sessionStorage.setItem(seenKey(rise), "shown");
  // A hand that is charting keeps its place; the live region speaks all the same.
  if (!document.activeElement?.closest("form[data-entry]")) rise.focus();
};
const dismiss = (button) => {
  const rise = button.closest("[data-rise]");
  sessionStorage.setItem(seenKey(rise), "dismissed");
  rise.hidden = true;
  document.getElementById("guidance-title")?.focus({ preventScroll: true });
};

export const watchGuidance = () => {
  interrupt();
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-dismiss-rise]");
    if (button) dismiss(button);
  });
  document.body.addEventListener("htmx:afterOnLoad", compare);
  document.body.addEventListener("htmx:beforeRequest", oneAtATime);
  document.body.addEventListener("htmx:beforeOnLoad", arrived);
  document.body.addEventListener("htmx:beforeRequest", noteAnswer);
  for (const before of ["htmx:beforeSwap", "htmx:oobBeforeSwap"]) {
    document.body.addEventListener(before, (event) => {
      if (event.detail.target?.id !== "guidance") return;
      rememberOpen();
      if (before === "htmx:oobBeforeSwap" && sending) event.detail.shouldSwap = false;
    });
  }
  document.body.addEventListener("htmx:afterSettle", () => {
    reopen();
    returnFocus();
    interrupt();
    answering = null;
  });
  document.body.addEventListener("htmx:oobAfterSwap", (event) => {
    if (event.detail.target?.id === "guidance") reopen();
  });
  for (const wrong of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    document.body.addEventListener(wrong, failed);
  }
};

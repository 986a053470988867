// The guidance panel: open details, also those of the grade card, stay open over a refresh, the focus stays at the
// answered item, a failed request shows a message, and a rise of the grade is read out once. The response to a save has
// the panel only where it differs from the one on the page.

import { statusOf } from "../foreign_pages.js";
import { TAP_FAILED, isKeptTap } from "../outbox/taps.js";
import { requestWords } from "../request_id.js";
import { SHOWN_HEADER } from "../shown.js";
import { storeInTab, storedInTab } from "../storage.js";
import { whyFailed } from "./why_failed.js";

const panel = () => document.getElementById("guidance");

let open = new Set();
const rememberOpen = () => {
  const details = document.querySelectorAll("#guidance details[open], #more-reasons[open]");
  open = new Set([...details].map(({ id }) => id));
};
const reopen = () => {
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
};

// One request at a time: a refresh that arrives during a save would replace its response.
let isSending = false;
const allowOneRequest = (event) => {
  const { verb } = event.detail.requestConfig;
  if (!event.target.closest?.("#guidance")) return;
  if (verb === "get" && isSending && event.target.id === "guidance") event.preventDefault();
  if (verb !== "post") return;
  isSending = true;
  event.detail.xhr.addEventListener("loadend", endSending);
};
const endSending = () => {
  isSending = false;
};
const onResponse = ({ detail: { xhr } }) => {
  if (xhr === answering?.xhr) endSending();
};

// The response removes the button that was pressed: the summary of its item gets the focus. Another
// request, as of the plots, may be answered in between.
let answering = null;
const noteAnswer = (event) => {
  const { requestConfig, xhr } = event.detail;
  if (event.target.closest?.("#guidance") && requestConfig?.verb === "post") {
    answering = { xhr, item: event.target.closest(".advice")?.id ?? "guidance" };
  }
};
const returnFocus = (xhr) => {
  if (answering?.xhr !== xhr) return;
  const line = document.getElementById(`${answering.item}-summary`);
  answering = null;
  if (document.activeElement !== document.body) return;
  // What was answered is folded away: it stays in sight for the one who answered it.
  line?.closest("#guidance-folded")?.setAttribute("open", "");
  const place = line ?? document.getElementById("guidance-title");
  place?.focus({ preventScroll: true });
  // After a touch nothing scrolls; with the keyboard the focus is brought into sight.
  if (place?.matches(":focus-visible")) place.scrollIntoView({ block: "nearest" });
};

const showFailure = (event) => {
  const isTap = event.type === TAP_FAILED;
  if (!event.target.closest?.("#guidance") || (!isTap && event.detail.requestConfig?.verb !== "post")) return;
  if (!isTap && isKeptTap(event.target)) return;
  const { xhr } = event.detail;
  const status = statusOf(xhr);
  // Without a response the server may have saved it; the idempotency key makes a retry safe.
  const headline = status === 0 || status >= 500 ? "Not sent yet." : "Not saved.";
  const notKept = status === 0 ? " An answer to advice is not kept on the tablet." : "";
  const message = document.createElement("p");
  message.className = "message message-wrong";
  message.setAttribute("role", "alert");
  message.textContent = `${headline} ${whyFailed(status)}${notKept} Tap again. ${requestWords(xhr)}`.trim();
  document.getElementById("guidance-message")?.replaceChildren(message);
};

const requestPanel = () => document.body.dispatchEvent(new Event("crs:clock"));
// An older panel may have been swapped in during the save: then the current one is requested.
const checkPanel = ({ detail: { xhr } }) => {
  const current = xhr.getResponseHeader(SHOWN_HEADER)?.split("guidance=")[1];
  if (current && panel() && panel().dataset.signature !== current) requestPanel();
};

const seenKey = (rise) => `crs-rise:${rise.dataset.rise}`;
const showRise = () => {
  const rise = document.querySelector("[data-rise]");
  if (!rise || !rise.hidden || storedInTab(seenKey(rise)) === "dismissed") return;
  rise.hidden = false;
  if (storedInTab(seenKey(rise))) return;
  storeInTab(seenKey(rise), "shown");
  // It is read out, and the focus stays where it is.
  document.getElementById("rise-announcer").textContent = rise.querySelector("p").textContent
    .replace(/\s+/g, " ")
    .trim();
};
const dismiss = (button) => {
  const rise = button.closest("[data-rise]");
  storeInTab(seenKey(rise), "dismissed");
  rise.hidden = true;
  document.getElementById("guidance-title")?.focus({ preventScroll: true });
};

// Choices that open under a button near the foot of the screen come into sight.
const showChoices = ({ target }) => {
  if (!target.matches?.("#guidance .not-now[open]") || !target.contains(document.activeElement)) return;
  target.scrollIntoView({ block: "nearest" });
};

export const watchGuidance = () => {
  showRise();
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-dismiss-rise]");
    if (button) dismiss(button);
  });
  document.addEventListener("toggle", showChoices, true);
  document.body.addEventListener("htmx:afterOnLoad", checkPanel);
  document.body.addEventListener("htmx:beforeRequest", allowOneRequest);
  document.body.addEventListener("htmx:beforeOnLoad", onResponse);
  document.body.addEventListener("htmx:beforeRequest", noteAnswer);
  for (const before of ["htmx:beforeSwap", "htmx:oobBeforeSwap"]) {
    document.body.addEventListener(before, (event) => {
      const { target } = event.detail;
      if (!["guidance", "grade-card"].includes(target?.id)) return;
      rememberOpen();
      if (target.id !== "guidance") return;
      if (before === "htmx:oobBeforeSwap" && isSending) event.detail.shouldSwap = false;
    });
  }
  document.body.addEventListener("htmx:afterSettle", ({ detail: { xhr } }) => {
    reopen();
    if (answering) returnFocus(xhr);
    showRise();
  });
  document.body.addEventListener("htmx:oobAfterSwap", (event) => {
    if (["guidance", "grade-card"].includes(event.detail.target?.id)) reopen();
  });
  for (const wrong of ["htmx:sendError", "htmx:responseError", "htmx:timeout", TAP_FAILED]) {
    document.body.addEventListener(wrong, showFailure);
  }
};

// Rows of buttons that chart at once: shows the message of a failed request in its row.

import { statusOf } from "../foreign_pages.js";
import { TAP_FAILED, isKeptTap } from "../outbox/taps.js";
import { requestWords } from "../request_id.js";
import { whyFailed } from "./why_failed.js";

const showFailure = (event) => {
  const row = event.target.closest?.("form[data-quick-actions]");
  if (!row || (event.type !== TAP_FAILED && isKeptTap(row))) return;
  const why = whyFailed(statusOf(event.detail.xhr));
  const message = row.querySelector("[data-quick-message]");
  message.className = "message message-wrong";
  message.setAttribute("role", "alert");
  message.textContent = `Not saved. ${why} Your entries are safe. Tap again. ${requestWords(event.detail.xhr)}`.trim();
};

export const watchQuickActions = () => {
  for (const wrong of ["htmx:sendError", "htmx:responseError", "htmx:timeout", TAP_FAILED]) {
    document.body.addEventListener(wrong, showFailure);
  }
};

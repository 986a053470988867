// A page from elsewhere, like the sign-in of the hospital's network, that comes in the place of an answer. htmx would
// put it on the page of the patient, and each script would take it for the word of the server. To all of them it is a
// request that was not answered.

import { isAnswered } from "./request_id.js";

const SHOWN = [409, 422]; // as in the htmx-config of base.html

// Whether a page from elsewhere has come that htmx would show. An error of a proxy is shown by nobody, and what it
// says is read from its status.
export const isForeignPage = (xhr) =>
  Boolean(xhr?.status) && !isAnswered(xhr) && (xhr.status < 400 || SHOWN.includes(xhr.status));

// The status of an answer; 0 where the server itself has not answered.
export const statusOf = (xhr) => (isForeignPage(xhr) ? 0 : (xhr?.status ?? 0));

const refuse = (event) => {
  const { elt, xhr } = event.detail;
  if (!isForeignPage(xhr)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  globalThis.htmx.trigger(elt.isConnected ? elt : document.body, "htmx:sendError", event.detail);
};

const keepFromOthers = (event) => {
  if (isForeignPage(event.detail.xhr)) event.stopImmediatePropagation();
};

// Of an element that has left the page meanwhile, the event of its answer is not heard.
const neverShow = (event) => {
  if (isForeignPage(event.detail.xhr)) event.detail.shouldSwap = false;
};

document.addEventListener("htmx:beforeOnLoad", refuse, true);
document.addEventListener("htmx:beforeSwap", neverShow);
for (const after of ["htmx:afterRequest", "htmx:afterOnLoad"]) document.addEventListener(after, keepFromOthers, true);

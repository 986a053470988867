// Says why the server refused a request, on a page that has no place for its answer.

import { requestWords } from "./request_id.js";
import { inertDocument } from "./trusted_types.js";

const PLACES = { 409: "entry-message", 422: "entry-form" }; // as in the htmx-config of base.html
const NOT_SHOWN = "The server answered, but this page could not show it. Reload the page to see the chart as it is now.";
const REASONS = ".message-wrong, .message-warn, .errorlist, [role=alert]";

// Returns why the server refused something, out of the part of a page that it sent.
export const reasonIn = (html) => {
  const answer = inertDocument(html);
  for (const id of answer.querySelectorAll("[data-request]")) id.remove();
  const texts = [...answer.querySelectorAll(REASONS)].map(({ textContent }) => textContent);
  const text = texts.find((each) => each.trim()) ?? "Not saved.";
  return text.replace(/\s+/g, " ").trim();
};

const message = () => {
  const shown = document.querySelector("[data-refusal]");
  if (shown) return shown;
  const made = document.createElement("p");
  made.className = "message message-wrong";
  made.dataset.refusal = "";
  made.setAttribute("role", "alert");
  return made;
};

export const watchRefusals = () => {
  const { body } = document;
  body.addEventListener("htmx:beforeRequest", ({ detail }) => {
    if (detail.requestConfig.triggeringEvent) document.querySelector("[data-refusal]")?.remove();
  });
  body.addEventListener("htmx:beforeOnLoad", (event) => {
    const { xhr, elt } = event.detail;
    const place = PLACES[xhr.status];
    if (!place || document.getElementById(place)) return;
    event.preventDefault();
    const refusal = message();
    refusal.textContent = `${reasonIn(xhr.responseText)} Reload the page to see the chart as it is now. ${requestWords(xhr)}`.trim();
    elt.after(refusal);
  });
  body.addEventListener("htmx:onLoadError", ({ detail: { elt, xhr } }) => {
    const refusal = message();
    refusal.textContent = `${NOT_SHOWN} ${requestWords(xhr)}`.trim();
    if (elt.isConnected && elt !== body) elt.after(refusal);
    else document.getElementById("main").prepend(refusal);
  });
};

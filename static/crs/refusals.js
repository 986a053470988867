// Says why the server refused a request, on a page that has no place for its answer.

import { says } from "./connection.js";

const PLACES = { 409: "entry-message", 422: "entry-form" }; // as in the htmx-config of base.html
const REASONS = ".message-wrong, .message-warn, .errorlist, [role=alert]";

const reasonIn = (html) => {
  const answer = new DOMParser().parseFromString(html, "text/html");
  const texts = [...answer.querySelectorAll(REASONS)].map(({ textContent }) => textContent);
  const text = texts.find((each) => each.trim()) ?? "Not saved.";
  return text.replace(/\s+/g, " ").trim();
};

export const watchRefusals = () => {
  document.body.addEventListener("htmx:beforeOnLoad", (event) => {
    const { xhr, elt } = event.detail;
    const place = PLACES[xhr.status];
    if (!place || document.getElementById(place)) return;
    event.preventDefault();
    says(elt, `${reasonIn(xhr.responseText)} Reload the page to see the chart as it is now.`);
  });
};

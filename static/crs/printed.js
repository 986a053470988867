// Reports to the record that a page is printed; the server finds in the address what it shows.

import { csrfToken } from "./csrf.js";

const report = () => {
  fetch(document.body.dataset.printed, {
    method: "POST",
    headers: { "X-CSRFToken": csrfToken(), "HX-Request": "true" },
    body: new URLSearchParams({ path: location.pathname }),
    keepalive: true,
  }).catch(() => {}); // without a connection the page was recorded when it was opened
};

export const watchPrinting = () => {
  if (document.body.dataset.printed) addEventListener("beforeprint", report);
};

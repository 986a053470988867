// Reports to the record that a page is printed; the server finds in the address what it shows. A page that is
// kept current, and may have been open for hours, gets the time of the printing in its head.

import { now } from "./clock.js";
import { csrfToken } from "./csrf.js";
import { setText } from "./elements.js";
import { dateTimeText } from "./site_time.js";

const report = () => {
  fetch(document.body.dataset.printed, {
    method: "POST",
    headers: { "X-CSRFToken": csrfToken(), "HX-Request": "true" },
    body: new URLSearchParams({ path: location.pathname }),
    keepalive: true,
  }).catch(() => {}); // without a connection the page was recorded when it was opened
};

const setPrintedAt = () => {
  for (const printedAt of document.querySelectorAll("[data-printed-at]")) setText(printedAt, dateTimeText(now()));
};

export const watchPrinting = () => {
  addEventListener("beforeprint", setPrintedAt);
  if (document.body.dataset.printed) addEventListener("beforeprint", report);
};

// Adds a header to each POST: the signature of the guidance panel on the page, and the kind and last
// day that its timeline shows. The response leaves out a panel that the page has, and can place single rows.

import { isTable } from "./timeline.js";

export const SHOWN_HEADER = "CRS-Shown";

const addHeader = ({ detail: { headers, verb } }) => {
  const guidance = document.getElementById("guidance")?.dataset.signature;
  if (verb !== "post" || !guidance) return;
  const kind = isTable() ? "table" : (document.getElementById("timeline-kind")?.value ?? "");
  const day = document.getElementById("timeline-day")?.value ?? "";
  headers[SHOWN_HEADER] = `guidance=${guidance}; timeline=${kind}; day=${day}`;
};

export const watchShown = () => {
  document.body.addEventListener("htmx:configRequest", addHeader);
};

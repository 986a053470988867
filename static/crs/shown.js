// Adds a header to each POST: the signature of the guidance panel on the page, the kind and last day that its
// timeline shows, and the parts of its form that a response may replace. The response leaves out a panel that the
// page has and a part that it has not, and can place single rows.

import { isTable } from "./timeline.js";

export const SHOWN_HEADER = "CRS-Shown";

const FORM_PARTS = ["unchanged", "running", "attribution"];
export const formParts = () => FORM_PARTS.filter((id) => document.getElementById(id)).join();

const addHeader = ({ detail: { headers, verb } }) => {
  const guidance = document.getElementById("guidance")?.dataset.signature;
  if (verb !== "post" || !guidance) return;
  const kind = isTable() ? "table" : (document.getElementById("timeline-kind")?.value ?? "");
  const day = document.getElementById("timeline-day")?.value ?? "";
  headers[SHOWN_HEADER] = `guidance=${guidance}; timeline=${kind}; day=${day}; parts=${formParts()}`;
};

export const watchShown = () => {
  document.body.addEventListener("htmx:configRequest", addHeader);
};

// Adds a header to each POST: the signature of the guidance panel on the page, the kind, last day and lowest row
// that its timeline shows, and the parts of its form that a response may replace. The response leaves out a panel
// that the page has and what it has no place for, and can place single rows.

import { timelineShown } from "./timeline.js";

export const SHOWN_HEADER = "CRS-Shown";

const FORM_PARTS = ["unchanged", "running", "attribution"];
export const formParts = () => FORM_PARTS.filter((id) => document.getElementById(id)).join();

const addHeader = ({ detail: { headers, verb } }) => {
  const guidance = document.getElementById("guidance")?.dataset.signature;
  if (verb !== "post" || !guidance) return;
  const { show, day, until } = timelineShown();
  headers[SHOWN_HEADER] = `guidance=${guidance}; timeline=${show}; day=${day}; until=${until}; parts=${formParts()}`;
};

export const watchShown = () => {
  document.body.addEventListener("htmx:configRequest", addHeader);
};

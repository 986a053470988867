// The review page: loads the history of one course and draws it as lanes under one time axis.

import { goToLinkedLane, laneOf, linkedKey } from "./lane_link.js";
import { watchKeys } from "./keys.js";
import { fetchSeries, keepFailure, sayLoading } from "./loading.js";
import { Page } from "./page.js";
import { watchAge } from "./page_age.js";
import { steer } from "./steering.js";

const host = document.querySelector("#plots");

const load = async () => {
  const loaded = sayLoading(host);
  try {
    const data = await fetchSeries(host, linkedKey());
    data.is_then = host.dataset.then !== undefined;
    data.seen_at = host.dataset.seen ? Date.parse(host.dataset.seen) / 1000 : null;
    const page = new Page(host, data, load);
    page.build();
    const redraw = steer(page);
    page.loadScales().then(redraw);
  } catch (error) {
    console.warn(error);
    keepFailure(host, load);
  } finally {
    loaded();
  }
};

// Single keys: t for the other view, k for "as known at", n for the page as it is now.
const onKey = (event) => {
  if (event.target.closest("input, select, textarea") || event.ctrlKey || event.altKey || event.metaKey) return;
  const key = event.key.toLowerCase();
  if (key === "t") document.querySelector("[data-view]:not([aria-current])")?.click();
  if (key === "k") {
    const tool = document.querySelector("[data-key=k]");
    tool.open = !tool.open;
    if (tool.open) tool.querySelector("input:not([type=hidden]):not([hidden])")?.focus();
  }
  if (key === "n") document.querySelector("[data-key=n]")?.click();
};

document.addEventListener("keydown", onKey);
watchKeys();
watchAge();
if (host) {
  addEventListener("hashchange", () => (laneOf(host, linkedKey()) ? goToLinkedLane(host) : load()));
  load();
}

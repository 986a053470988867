// Loads what is plotted, and says what is going on: loading, a lane that failed, all that failed.

import { clockText } from "../site_time.js";
import { now } from "../clock.js";
import { isoText } from "./axis.js";

const SAY_AFTER_MS = 500;

// The address of the series: a window and its width where the course has many points.
const addressOf = (host, rowKey, span) => {
  const address = new URL(host.dataset.series, location.href);
  const plot = host.querySelector(".u-over, .lane-plot");
  const width = Math.min(Math.max(Math.round(plot?.clientWidth || host.clientWidth), 50), 8000);
  address.searchParams.set("width", width);
  if (host.dataset.more?.split(" ").includes(rowKey)) address.searchParams.set("row", rowKey);
  if (span) {
    ["from", "to"].forEach((name, place) => {
      address.searchParams.set(name, isoText(span[place]));
    });
  }
  return address;
};

export const fetchSeries = async (host, rowKey, span) => {
  const answer = await fetch(addressOf(host, rowKey, span), { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`the values were answered ${answer.status}`);
  return answer.json();
};

// Says after half a second how much is loading; returns what ends it.
export const sayLoading = (host) => {
  const line = host.querySelector("[data-loading]");
  const saying = setTimeout(() => {
    if (line) line.textContent = line.dataset.loading;
  }, SAY_AFTER_MS);
  return () => clearTimeout(saying);
};

const tryAgain = (again) => {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-quiet";
  button.textContent = "Try again";
  button.addEventListener("click", again);
  return button;
};

// A lane that failed is never an empty lane, which would mean that nothing was charted.
export const failed = (lane, name, again) => {
  const words = document.createElement("p");
  words.className = "lane-failed";
  words.setAttribute("role", "status");
  words.append(`${name || "Criteria"} could not be loaded. `, tryAgain(again));
  lane.plot.replaceChildren(words);
};

export const keepFailure = (host, again) => {
  const line = document.createElement("p");
  line.className = "wrong lane-failed";
  line.setAttribute("role", "alert");
  line.append(`${clockText(now())}: the values could not be loaded. `, tryAgain(again));
  host.replaceChildren(line);
};

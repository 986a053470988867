// Sends the event "crs:charted" after each save, and after each poll that changed something: the parts that show the
// chart over time then load again. They are no part of the answer to a save, which a nurse waits for.

import { SHOWN_HEADER } from "../shown.js";

const OLD_AFTER = 10 * 60_000; // the lanes end at the present time, also where nothing was charted

const lanes = () => document.getElementById("last-day");
let loadedAt = 0;

const askAgain = () => document.body.dispatchEvent(new Event("crs:charted"));

const onAnswer = ({ detail: { requestConfig, xhr } }) => {
  const id = requestConfig?.elt?.id;
  if (id === "last-day" && xhr.status === 200) {
    loadedAt = Date.now();
    delete lanes()?.dataset.failed;
  } else if (id === "live") {
    const isOld = Date.now() - loadedAt > OLD_AFTER || lanes()?.dataset.failed !== undefined;
    if (xhr.status === 200 || (xhr.status === 204 && isOld)) askAgain();
  } else if (requestConfig?.verb === "post" && xhr.status < 300 && xhr.getResponseHeader(SHOWN_HEADER)) {
    askAgain();
  }
};

const onFailure = ({ detail: { requestConfig } }) => {
  const place = lanes();
  if (requestConfig?.elt !== place || !place) return;
  place.dataset.failed = "";
  if (place.firstElementChild) return;
  const words = document.createElement("p");
  words.textContent = "The last 24 h could not be loaded. They are asked for again within a minute.";
  place.replaceChildren(words);
};

export const watchLastDay = () => {
  if (!lanes()) return;
  document.body.addEventListener("htmx:afterRequest", onAnswer);
  for (const wrong of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    document.body.addEventListener(wrong, onFailure);
  }
};

// The page without a network: says how many entries of whom are unsent, and opens the page that was asked for once
// the server answers.

import { countWords, countsByUser, readRows } from "./database.js";

const LOOK_EVERY = 15_000;
const element = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });

const place = document.getElementById("shell-unsent");
const state = document.getElementById("shell-state");

const showUnsent = async () => {
  const rows = await readRows();
  if (!rows) {
    place.replaceChildren(element("p", "Whether an entry is unsent on this tablet cannot be read."));
    return;
  }
  const counts = countsByUser(rows);
  const all = counts.reduce((sum, { unsent, refused }) => [sum[0] + unsent, sum[1] + refused], [0, 0]);
  if (!counts.length) {
    place.replaceChildren(element("p", "No entry is unsent on this tablet."));
    return;
  }
  const list = document.createElement("ul");
  list.append(...counts.map(({ by, unsent, refused }) => element("li", `${by}: ${countWords(unsent, refused)}`)));
  place.className = "shell-unsent";
  place.replaceChildren(
    element("strong", `Not graded: ${countWords(...all)}`),
    element("span", "Kept on this tablet. Sent when the network is back and that user opens a page."),
    list,
  );
};

const answers = async () => {
  const response = await fetch(document.body.dataset.livez, { cache: "no-store" }).catch(() => null);
  return Boolean(response?.ok && response.headers.has("X-Request-ID"));
};

// Nothing was typed here: the page may go as soon as another can be shown.
const look = async () => {
  if (await answers()) location.reload();
};

document.getElementById("shell-open").addEventListener("click", async () => {
  state.textContent = "Looking for the network …";
  if (await answers()) location.reload();
  else state.textContent = "Still no connection. Open again when the network is back.";
});
addEventListener("online", look);
setInterval(look, LOOK_EVERY);
showUnsent();

// Shows that the page is old: new entries, no network, no answer. The page changes only when the user asks for it.

import { now } from "../clock.js";
import { POLL_HEADER } from "../poll_header.js";
import { clockText } from "../site_time.js";

const EVERY_MS = 60_000;
const AGAIN_MS = 15_000;

const host = document.getElementById("page-age");
let heardAt = now();
let timer;
let asking = false;

const say = (kind, ...parts) => {
  document.body.dataset.pageAge = kind;
  const text = parts.map((part) => part.textContent ?? part).join("");
  if (host.textContent === text) return;
  host.hidden = !kind;
  host.dataset.kind = kind;
  host.replaceChildren(...parts);
};

const showButton = () => {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-quiet";
  button.textContent = "Show";
  button.addEventListener("click", () => location.reload());
  return button;
};

const old = () => {
  const since = clockText(heardAt);
  if (navigator.onLine) say("old", `Not up to date since ${since}. Trying again.`);
  else say("old", `No network. You see the state of ${since}.`);
};

const show = ({ entries, last_at: lastAt }) => {
  heardAt = now();
  if (!entries) return say("");
  const what = entries === 1 ? "1 new entry" : `${entries} new entries`;
  say("new", `${what} ${clockText(Date.parse(lastAt))}. `, showButton());
};

const ask = async () => {
  if (asking) return;
  asking = true;
  clearTimeout(timer);
  let wait = EVERY_MS;
  try {
    const headers = { Accept: "application/json", [POLL_HEADER]: "yes" };
    const answer = await fetch(host.dataset.latest, { headers });
    if (!answer.ok) throw new Error(`answered ${answer.status}`);
    show(await answer.json());
  } catch {
    old();
    wait = AGAIN_MS;
  } finally {
    asking = false;
    timer = setTimeout(ask, wait);
  }
};

export const watchAge = () => {
  if (!host) return;
  timer = setTimeout(ask, EVERY_MS);
  addEventListener("offline", old);
  addEventListener("online", ask);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") ask();
  });
  document.body.addEventListener("crs:clock", ask);
};

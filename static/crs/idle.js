// Locks the page where nobody uses it: a key, a touch or a move of the wheel is use, a poll is not.
// The server counts too; this reports keys and touches to it, warns, and leaves the page in time.

import { outlivesPage } from "./unsent/store.js";

const WARN_BEFORE = 60_000;
const REPORT_AT_MOST_EVERY = 61_000; // the server notes one act in a minute

const { idleSeconds, active, locked, signIn } = document.body.dataset;
const limit = Number(idleSeconds) * 1000;
const warning = document.getElementById("idle-warning");
const tabs = "BroadcastChannel" in window ? new BroadcastChannel("crs-acts") : null;

let actedAt = Date.now();
let reportedAt = actedAt;
let isLeaving = false;

const send = (values) => {
  const { "X-CSRFToken": token } = JSON.parse(document.body.getAttribute("hx-headers"));
  return fetch(active, {
    method: "POST",
    headers: { "X-CSRFToken": token, "HX-Request": "true" },
    body: new URLSearchParams(values),
    keepalive: true,
  }).catch(() => {}); // without a connection nothing can be saved either
};

const report = () => {
  if (actedAt <= reportedAt || Date.now() - reportedAt < REPORT_AT_MOST_EVERY) return;
  reportedAt = Date.now();
  send({});
};

const leave = async () => {
  isLeaving = true;
  await send({ lock: "yes" });
  const here = encodeURIComponent(location.pathname + location.search);
  location.assign(locked ?? `${signIn}?next=${here}`);
};

const look = () => {
  if (isLeaving) return;
  report();
  const left = limit - (Date.now() - actedAt);
  warning.hidden = left > Math.min(WARN_BEFORE, limit / 2);
  if (!warning.hidden && !warning.textContent) {
    warning.textContent = `Nobody used this page for a while. It is locked in a minute: press a key or touch the screen to go on. ${outlivesPage ? "What you typed is kept." : "What you typed is lost: save it."}`;
  }
  if (warning.hidden) warning.textContent = "";
  if (left <= 0) leave();
};

const note = (at) => {
  // After the limit only a sign-in opens the page again, also where its timer slept.
  if (isLeaving || at - actedAt >= limit) return;
  actedAt = Math.max(actedAt, at);
  if (!warning.hidden) look();
};

const act = () => {
  const at = Date.now();
  if (at - actedAt > 1_000) tabs?.postMessage(at);
  note(at);
};

export const watchIdle = () => {
  if (!limit) return;
  for (const name of ["keydown", "pointerdown", "touchstart", "wheel", "input"]) {
    addEventListener(name, act, { capture: true, passive: true });
  }
  tabs?.addEventListener("message", ({ data }) => note(data));
  document.addEventListener("visibilitychange", look);
  setInterval(look, 1_000);
};

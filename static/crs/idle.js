// Locks the page where nobody uses it: a key, a touch or a move of the wheel is use, a poll is not.
// The server counts too; this reports keys and touches to it, warns, and leaves the page in time. While the server
// cannot be reached, nobody could sign in again: the lock then waits, an hour at most, and closes with its first answer.

import { now, steadyTime } from "./clock.js";
import { csrfToken } from "./csrf.js";
import { setText } from "./elements.js";
import { NOT_REACHED } from "./outbox/answers.js";
import { isAnsweredBy } from "./request_id.js";
import { clockText } from "./site_time.js";
import { outlivesPage } from "./unsent/store.js";

const WARN_BEFORE = 60_000;
const WAITS_AT_MOST = 60 * 60_000;
const TRY_AGAIN_AFTER = 15_000;
const ANSWER_WITHIN = 10_000;
const REPORT_AT_MOST_EVERY = 61_000; // the server notes one act in a minute

const { idleSeconds, active, locked, signIn } = document.body.dataset;
const limit = Number(idleSeconds) * 1000;
const warning = document.getElementById("idle-warning");
const tabs = "BroadcastChannel" in window ? new BroadcastChannel("crs-acts") : null;

const openedAt = steadyTime();
let actedAt = openedAt;
let reportedAt = -Infinity; // the opening of the page is an act which the server may not have noted
let isLeaving = false;

// Resolves to whether the server has answered.
const send = (values) => {
  return fetch(active, {
    method: "POST",
    headers: { "X-CSRFToken": csrfToken(), "HX-Request": "true" },
    body: new URLSearchParams(values),
    keepalive: true,
    signal: AbortSignal.timeout(ANSWER_WITHIN),
  }).then(
    (response) => isAnsweredBy(response) && !NOT_REACHED.includes(response.status),
    () => false,
  );
};

const report = () => {
  if (actedAt <= reportedAt || steadyTime() - Math.max(reportedAt, openedAt) < REPORT_AT_MOST_EVERY) return;
  reportedAt = steadyTime();
  send({});
};

// Since when the lock is due and the server does not answer; null where it does.
let waitsSince = null;
let triedAt = 0;

const leave = async () => {
  isLeaving = true;
  triedAt = steadyTime();
  const isAnswered = await send({ lock: "yes" });
  waitsSince ??= actedAt + limit;
  if (!isAnswered && steadyTime() - waitsSince < WAITS_AT_MOST) {
    isLeaving = false;
    return;
  }
  const here = encodeURIComponent(location.pathname + location.search);
  location.assign(locked ?? `${signIn}?next=${here}`);
};

const warningText = () => {
  const kept = outlivesPage ? "What you typed is kept." : "What you typed is lost: save it.";
  if (waitsSince === null) {
    return `Nobody used this page for a while. It is locked in a minute: press a key or touch the screen to go on. ${kept}`;
  }
  const latest = clockText(waitsSince + WAITS_AT_MOST - steadyTime() + now());
  return `No connection. This page is locked as soon as the server answers, at ${latest} at the latest. Then sign in again: what you saved is kept.`;
};

const look = () => {
  if (isLeaving) return;
  report();
  const left = limit - (steadyTime() - actedAt);
  warning.hidden = left > Math.min(WARN_BEFORE, limit / 2);
  setText(warning, warning.hidden ? "" : warningText());
  if (waitsSince !== null && !warning.dataset.waits) {
    // For an hour, so it covers nothing: above the page, and no more at its lower edge.
    warning.dataset.waits = "yes";
    document.getElementById("outbox").before(warning);
  }
  if (left > 0) return;
  if (waitsSince === null || steadyTime() - triedAt >= TRY_AGAIN_AFTER) leave();
};

const note = (at) => {
  // After the limit only a sign-in opens the page again, also where its timer slept.
  if (isLeaving || at - actedAt >= limit) return;
  actedAt = Math.max(actedAt, at);
  if (!warning.hidden) look();
};

const act = () => {
  const at = steadyTime();
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
  document.body.addEventListener("crs:answered", () => {
    if (waitsSince !== null && !isLeaving) leave();
  });
  setInterval(look, 1_000);
};

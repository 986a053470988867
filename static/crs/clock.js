// Keeps what depends on the time current: countdowns, ages, and a new grade card, guidance panel or
// board at the time at which a grade changes without a new entry.

import { setText } from "./elements.js";

const MINUTE = 60_000;
const RETRY_AFTER = 5_000; // where no response came, or it changed nothing
const LONGEST_TIMER = 2 ** 31 - 1;
const serverTime = Date.parse(document.body.dataset.now);

// The clock of the tablet without its jumps back, which the monotonic clock of the browser shows. One that is set
// forward looks like a tablet that slept, until the server answers.
const JUMP = 1_000;
let lead = Date.now() - performance.now();
let setBackBy = 0;
export const steadyTime = () => {
  const before = lead;
  lead = Date.now() - performance.now();
  if (lead < before - JUMP) setBackBy += before - lead;
  return Date.now() + setBackBy;
};

let offset = serverTime - steadyTime(); // corrects a wrong clock of the tablet

export const now = () => steadyTime() + offset;

// The words of patients/display/text.py: the page never says one age in two ways.
const duration = (milliseconds) => {
  const minutes = Math.floor(milliseconds / MINUTE);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours >= 24) return hours % 24 ? `${Math.floor(hours / 24)} d ${hours % 24} h` : `${hours / 24} d`;
  return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
};

const countdown = (milliseconds) => {
  if (milliseconds <= 0) return "now";
  if (milliseconds < MINUTE) return "under 1 min";
  return duration(milliseconds);
};

const age = (milliseconds) =>
  milliseconds < MINUTE ? "just now" : `${duration(milliseconds)} ago`;

// The words of patients/ward/to_do.py.
const lateness = (milliseconds) =>
  milliseconds < MINUTE ? "due now" : `${duration(milliseconds)} late`;

const updateTexts = () => {
  for (const element of document.querySelectorAll("[data-countdown]")) {
    setText(element, countdown(Date.parse(element.dataset.countdown) - now()));
  }
  for (const element of document.querySelectorAll("[data-age]")) {
    setText(element, age(now() - Date.parse(element.dataset.age)));
  }
  for (const element of document.querySelectorAll("[data-late]")) {
    setText(element, lateness(now() - Date.parse(element.dataset.late)));
  }
};

let timer;
const setTimer = (atLeast = 0) => {
  clearTimeout(timer);
  const instants = [...document.querySelectorAll("[data-next]")].map((element) =>
    Date.parse(element.dataset.next),
  );
  if (!instants.length) return;
  const wait = Math.max(atLeast, Math.min(...instants) - now() + 250);
  if (wait <= LONGEST_TIMER) timer = setTimeout(requestUpdate, wait);
};
export const requestUpdate = () => {
  document.body.dispatchEvent(new Event("crs:clock"));
  setTimer(RETRY_AFTER);
};

const gradeOnCard = () => document.getElementById("grade-card")?.dataset.words;

// Reads out a change of grade once, whatever brought it: a save, another user or the clock.
let shown = gradeOnCard();
const announce = () => {
  const grade = gradeOnCard();
  if (grade === undefined || grade === shown) return;
  if (shown !== undefined) {
    document.getElementById("announcer").textContent = `CRS ${shown} to ${grade}`;
    document.getElementById("grade-card").classList.add("is-new");
    document.body.dispatchEvent(new CustomEvent("crs:grade", { detail: { grade } }));
  }
  shown = grade;
};

// Each answer says when the server gave it. Where the time of the page cannot be that of the server, as after a jump
// of the tablet's clock, it is set: what is saved without a network has the time of the page.
const SERVER_TIME = "CRS-Time";
const AGREES_WITHIN = 10_000;
const sentAt = new WeakMap();
const noteSending = ({ detail: { xhr } }) => sentAt.set(xhr, performance.now());
const followServer = ({ detail: { xhr } }) => {
  const answeredAt = Date.parse(xhr.getResponseHeader(SERVER_TIME));
  const onItsWay = performance.now() - sentAt.get(xhr);
  const difference = answeredAt + onItsWay / 2 - now();
  if (!(Math.abs(difference) > AGREES_WITHIN + onItsWay / 2)) return;
  offset += difference;
  updateTexts();
  setTimer();
};
document.addEventListener("htmx:beforeSend", noteSending, true);
document.addEventListener("htmx:beforeOnLoad", followServer, true);

export const watchClock = () => {
  updateTexts();
  setTimer();
  setInterval(updateTexts, 10_000);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) requestUpdate();
  });
  const afterSwap = () => {
    announce();
    updateTexts();
    setTimer(500);
  };
  document.body.addEventListener("htmx:afterSettle", afterSwap);
  document.body.addEventListener("htmx:oobAfterSwap", afterSwap);
};

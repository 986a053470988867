// The grade shown is the grade at the moment of showing: countdowns, ages, and a fresh card or
// board at the instant at which the clock alone changes a grade.

const MINUTE = 60_000;
const served = Date.parse(document.body.dataset.now);
const offset = served - Date.now(); // a wrong tablet clock does not matter

export const now = () => Date.now() + offset;

const duration = (milliseconds) => {
  const minutes = Math.floor(milliseconds / MINUTE);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
};

const countdown = (milliseconds) => {
  if (milliseconds <= 0) return "now";
  if (milliseconds < MINUTE) return "under 1 min";
  return duration(milliseconds);
};

const write = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

const tell = () => {
  for (const element of document.querySelectorAll("[data-countdown]")) {
    write(element, countdown(Date.parse(element.dataset.countdown) - now()));
  }
  for (const element of document.querySelectorAll("[data-age]")) {
    write(element, `${duration(Math.max(0, now() - Date.parse(element.dataset.age)))} ago`);
  }
};

let alarm;
const setAlarm = () => {
  clearTimeout(alarm);
  const instants = [...document.querySelectorAll("[data-next]")].map((element) =>
    Date.parse(element.dataset.next),
  );
  if (!instants.length) return;
  const wait = Math.max(500, Math.min(...instants) - now() + 250);
  if (wait < 2 ** 31) alarm = setTimeout(ask, wait);
};
const ask = () => {
  document.body.dispatchEvent(new Event("crs:clock"));
  setAlarm();
};

let shown = document.getElementById("grade-card")?.dataset.grade;
const announce = () => {
  const card = document.getElementById("grade-card");
  if (!card || card.dataset.grade === shown) return;
  const words = shown === undefined ? "" : `CRS grade ${shown} to grade ${card.dataset.grade}`;
  document.getElementById("announcer").textContent = words;
  card.classList.add("is-new");
  shown = card.dataset.grade;
};

export const watchClock = () => {
  tell();
  setAlarm();
  setInterval(tell, 10_000);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) ask();
  });
  const settled = () => {
    announce();
    tell();
    setAlarm();
  };
  document.body.addEventListener("htmx:afterSettle", settled);
  document.body.addEventListener("htmx:oobAfterSwap", settled);
};

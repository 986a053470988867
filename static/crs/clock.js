// The grade shown is the grade at the moment of showing: countdowns, ages, and a fresh card or
// board at the instant at which the clock alone changes a grade.

const MINUTE = 60_000;
const ASK_AGAIN_AFTER = 5_000; // where the answer did not come, or did not change anything
const LONGEST_TIMER = 2 ** 31 - 1;
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
const setAlarm = (atLeast = 0) => {
  clearTimeout(alarm);
  const instants = [...document.querySelectorAll("[data-next]")].map((element) =>
    Date.parse(element.dataset.next),
  );
  if (!instants.length) return;
  const wait = Math.max(atLeast, Math.min(...instants) - now() + 250);
  if (wait <= LONGEST_TIMER) alarm = setTimeout(ask, wait);
};
const ask = () => {
  document.body.dispatchEvent(new Event("crs:clock"));
  setAlarm(ASK_AGAIN_AFTER);
};

const ofCard = () => document.getElementById("grade-card")?.dataset.grade;
const inWords = (grade) => (grade === "none" ? "not graded" : `grade ${grade}`);

let shown = ofCard();
const announce = () => {
  const grade = ofCard();
  if (grade === undefined || grade === shown) return;
  if (shown !== undefined) {
    const words = `CRS ${inWords(shown)} to ${inWords(grade)}`;
    document.getElementById("announcer").textContent = words;
    document.getElementById("grade-card").classList.add("is-new");
  }
  shown = grade;
};

export const watchClock = () => {
  tell();
  setAlarm();
  setInterval(tell, 10_000);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) ask();
  });
  const settled = (event) => {
    const before = shown;
    announce();
    // A card that came by itself: the change of grade is due in the timeline too.
    const byClock = event.type === "htmx:afterSettle" && event.target?.id === "grade-card";
    if (byClock && shown !== before) document.body.dispatchEvent(new Event("crs:grade"));
    tell();
    setAlarm(500);
  };
  document.body.addEventListener("htmx:afterSettle", settled);
  document.body.addEventListener("htmx:oobAfterSwap", settled);
};

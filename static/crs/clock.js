// Keeps what depends on the time current: countdowns, ages, and a new grade card, guidance panel or
// board at the time at which a grade changes without a new entry.

const MINUTE = 60_000;
const RETRY_AFTER = 5_000; // where no response came, or it changed nothing
const LONGEST_TIMER = 2 ** 31 - 1;
const serverTime = Date.parse(document.body.dataset.now);
const offset = serverTime - Date.now(); // corrects a wrong clock of the tablet

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

const setText = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

const updateTexts = () => {
  for (const element of document.querySelectorAll("[data-countdown]")) {
    setText(element, countdown(Date.parse(element.dataset.countdown) - now()));
  }
  for (const element of document.querySelectorAll("[data-age]")) {
    setText(element, `${duration(Math.max(0, now() - Date.parse(element.dataset.age)))} ago`);
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
const requestUpdate = () => {
  document.body.dispatchEvent(new Event("crs:clock"));
  setTimer(RETRY_AFTER);
};

const gradeOnCard = () => document.getElementById("grade-card")?.dataset.grade;
const gradeText = (grade) => (grade === "none" ? "not graded" : `grade ${grade}`);

let shown = gradeOnCard();
const announce = () => {
  const grade = gradeOnCard();
  if (grade === undefined || grade === shown) return;
  if (shown !== undefined) {
    const words = `CRS ${gradeText(shown)} to ${gradeText(grade)}`;
    document.getElementById("announcer").textContent = words;
    document.getElementById("grade-card").classList.add("is-new");
  }
  shown = grade;
};

export const watchClock = () => {
  updateTexts();
  setTimer();
  setInterval(updateTexts, 10_000);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) requestUpdate();
  });
  const afterSwap = (event) => {
    const before = shown;
    announce();
    // A card that was refreshed by time alone: the timeline has a change of grade to show too.
    const byClock = event.type === "htmx:afterSettle" && event.target?.id === "grade-card";
    if (byClock && shown !== before) document.body.dispatchEvent(new Event("crs:grade"));
    updateTexts();
    setTimer(500);
  };
  document.body.addEventListener("htmx:afterSettle", afterSwap);
  document.body.addEventListener("htmx:oobAfterSwap", afterSwap);
};

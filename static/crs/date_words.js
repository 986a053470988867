// Writes the date of each date input in words, as "28 Nov 2026", and the time of day by 24 hours: a browser
// writes them in an order of its own, which can be read as another day. The words lie over what the browser
// writes; in the input that has the focus they stand under it.

import { now } from "./clock.js";
import { setText } from "./elements.js";
import { MONTHS, dayText } from "./site_time.js";

const EMPTY = { observed_date: "today", day: "now", known_at: "now", end: "now" };

const wordsOf = (input) => {
  const [date, clock] = input.value.split("T");
  const [year, month, day] = date.split("-").map(Number);
  if (!day) return EMPTY[input.name] ?? "no date";
  const text = `${day}\u00a0${MONTHS[month - 1]}`;
  const thisYear = Number(dayText(now()).slice(0, 4));
  if (year === thisYear && input.name === "observed_date") return text;
  return `${text}\u00a0${year}${clock ? `, ${clock.slice(0, 5)}` : ""}`;
};

// An input outside a ``.measure`` gets a box over which its words lie; moving it costs it the focus.
const box = (input) => {
  if (input.closest(".measure, .dated")) return;
  const isFocused = input === document.activeElement;
  const dated = document.createElement("span");
  dated.className = "dated";
  input.replaceWith(dated);
  dated.append(input);
  if (isFocused) input.focus();
};

const write = (input) => {
  box(input);
  let words = input.parentElement.querySelector(".date-words");
  if (!words) {
    words = document.createElement("span");
    words.className = "date-words";
    words.id = `${input.id}-words`;
    input.after(words);
    const others = input.getAttribute("aria-describedby");
    input.setAttribute("aria-describedby", [others, words.id].filter(Boolean).join(" "));
  }
  setText(words, wordsOf(input));
};

const writeDates = () => {
  document.querySelectorAll("input[type=date], input[type=datetime-local]").forEach(write);
};

export const watchDates = () => {
  writeDates();
  for (const kind of ["input", "change", "click"]) {
    document.addEventListener(kind, () => setTimeout(writeDates));
  }
  document.body.addEventListener("htmx:afterSettle", writeDates);
};

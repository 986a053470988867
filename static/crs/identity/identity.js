// Shows the age that follows from a birth date while it is typed, and disables the button until the wristband was
// compared. Without this file the server asks for both.

import { MONTHS } from "../site_time.js";

const typedDate = (form) => {
  const [day, month, year] = ["day", "month", "year"].map((name) => Number(form.elements[name]?.value));
  if (!day || !month || !(year > 999)) return null;
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCDate() === day && date.getUTCMonth() === month - 1 ? { day, month, year } : null;
};

const completedYears = (born, at) =>
  at.year - born.year - (at.month < born.month || (at.month === born.month && at.day < born.day) ? 1 : 0);

const sayBack = (form) => {
  const line = form.querySelector("[data-typed-date]");
  const date = typedDate(form);
  if (!date) {
    line.textContent = "";
    return;
  }
  const words = `${date.day} ${MONTHS[date.month - 1]} ${date.year}`;
  if (form.dataset.fact !== "birth") {
    line.textContent = words;
    return;
  }
  const [year, month, day] = form.dataset.infused.slice(0, 10).split("-").map(Number);
  const years = completedYears(date, { year, month, day });
  line.textContent = years < 0 ? `${words} lies after the infusion.` : `${words}: ${years} years old at the infusion.`;
};

for (const form of document.querySelectorAll("form[data-fact]")) {
  form.addEventListener("input", () => sayBack(form));
  sayBack(form);
}

for (const tick of document.querySelectorAll("[data-compared]")) {
  const button = tick.form.querySelector("[data-needs-compared]");
  const follow = () => {
    button.disabled = !tick.checked;
  };
  tick.addEventListener("change", follow);
  follow();
}

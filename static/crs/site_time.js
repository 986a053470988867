// Formats and sets times in the time zone of the site, not in that of the tablet.

import { now } from "./clock.js";

export const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const zone = document.body.dataset.zone;

const format = new Intl.DateTimeFormat("en-CA", {
  timeZone: zone,
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});
const parts = (instant) =>
  Object.fromEntries(format.formatToParts(new Date(instant)).map(({ type, value }) => [type, value]));

const dayOf = ({ year, month, day }) => `${year}-${month}-${day}`;

// Returns the date of an instant as "2026-11-28".
export const dayText = (instant) => dayOf(parts(instant));

const HOUR = 3_600_000;
const timeOfDay = ({ hour, minute }) => `${hour}:${minute}`;
const monthOf = (instant) =>
  new Intl.DateTimeFormat("en-GB", { timeZone: zone, month: "short" }).format(new Date(instant)).slice(0, 3);
const lettersOf = (instant) =>
  new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "short", hour: "numeric" })
    .formatToParts(new Date(instant))
    .find(({ type }) => type === "timeZoneName").value;
// Whether the clocks show this time of day twice on this date, when they go back.
const isRepeated = (instant) =>
  [instant - HOUR, instant + HOUR].some((other) => {
    const [then, there] = [parts(instant), parts(other)];
    return dayOf(then) === dayOf(there) && timeOfDay(then) === timeOfDay(there);
  });

// Returns "13:05", in the hour that is repeated when the clocks go back with the letters of the zone:
// the words of the server.
export const timeText = (instant) => {
  const then = parts(instant);
  return isRepeated(instant) ? `${timeOfDay(then)} ${lettersOf(instant)}` : timeOfDay(then);
};

// The same, with the date where it is not today ("28 Nov 13:05").
export const clockText = (instant) => {
  const then = parts(instant);
  const text = timeText(instant);
  if (dayOf(then) === dayOf(parts(now()))) return text;
  return `${Number(then.day)} ${monthOf(instant)} ${text}`;
};

// The same, with day and year whatever the day is ("28 Nov 2026 13:05").
export const dateTimeText = (instant) => {
  const then = parts(instant);
  return `${Number(then.day)} ${monthOf(instant)} ${then.year} ${timeText(instant)}`;
};

const fieldsOf = (form) =>
  ["observed_time", "observed_date"].map((name) => form.querySelector(`[name=${name}]`));

// Whether the form has a time typed, or no fields for one.
export const hasTime = (form) => fieldsOf(form).some((field) => !field || field.value);

// Sets the observation time; null means now, which leaves both fields empty.
export const setTime = (form, instant) => {
  const [time, date] = fieldsOf(form);
  const then = instant === null ? null : parts(instant);
  time.value = then ? `${then.hour}:${then.minute}` : "";
  date.value = then ? dayOf(then) : "";
};

// The words of the time axis: clock and day, days after the infusion, hours from tocilizumab.

import { timeText } from "../site_time.js";

const zone = document.body.dataset.zone;
const format = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options });
const dayFormat = format({ day: "numeric", month: "short" });
const weekdayFormat = format({ weekday: "short", day: "numeric", month: "short" });
const clockFormat = format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dateOf = (at) => new Date(at * 1000);
// Returns an instant as addresses have it.
export const isoText = (at) => dateOf(at).toISOString().replace("Z", "+00:00");
export const clock = (at) => clockFormat.format(dateOf(at));
export const dayOf = (at) => dayFormat.format(dateOf(at));
const timeOf = (at) => timeText(at * 1000);
export const stamp = (at) => `${dayOf(at)} ${timeOf(at)}`;
// Returns a time as it is shown next to another one: without the day where it is the same.
export const near = (at, other) => (dayOf(at) === dayOf(other) ? timeOf(at) : stamp(at));

const HOUR = 3600;
const DAY = 24 * HOUR;
const STEPS = [300, 900, 1800, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 28 * DAY];
const APART_PX = 34;

const stepFor = (low, high, pixels) => {
  const least = ((high - low) * APART_PX) / Math.max(pixels, 1);
  return STEPS.find((one) => one >= least) ?? STEPS.at(-1);
};

// Days and hours at the site. A day begins at its midnight, so that hours stay right over a change
// of the clocks.
const byClock = (data) => {
  const starts = [data.begins, ...data.midnights];
  return {
    days: (low, high) =>
      starts
        .map((at, number) => ({ at, number, name: `day ${number}`, date: weekdayFormat.format(dateOf(at)) }))
        .filter(({ at }, place) => at <= high && (starts[place + 1] ?? Infinity) > low),
    ticks: (low, high, pixels) => {
      const step = stepFor(low, high, pixels);
      const found = [];
      starts.forEach((start, place) => {
        const ends = starts[place + 1] ?? data.known_at + DAY;
        const [hour, minute] = clock(start).split(":").map(Number);
        const midnight = start - hour * HOUR - minute * 60 - (start % 60);
        for (let at = midnight; at < ends && at <= high; at += Math.min(step, DAY)) {
          if (at < low || at < start || step > DAY) continue;
          found.push({ at, text: step < HOUR ? clock(at) : clock(at).slice(0, 2) });
        }
      });
      return found;
    },
  };
};

const after = (origin, name, unit) => ({
  days: (low, high) => {
    const step = Math.max(stepFor(low, high, 600), DAY);
    const found = [];
    for (let at = origin + Math.floor((low - origin) / step) * step; at <= high; at += step) {
      found.push({ at, name: name(Math.round((at - origin) / HOUR)), date: dayOf(at) });
    }
    return found;
  },
  ticks: (low, high, pixels) => {
    const step = stepFor(low, high, pixels);
    const found = [];
    for (let at = origin + Math.ceil((low - origin) / step) * step; at <= high; at += step) {
      found.push({ at, text: unit(Math.round(((at - origin) / HOUR) * 10) / 10) });
    }
    return found;
  },
});

export const axisOf = (data, axis) => {
  const plain = (hours) => String(hours);
  if (axis === "infusion") {
    const name = (hours) => `day ${hours / 24}`;
    return after(data.infused_at, name, (hours) => `${Math.round(((hours % 24) + 24) % 24 * 10) / 10} h`);
  }
  if (axis === "tocilizumab" && data.first_tocilizumab_at !== null) {
    return after(data.first_tocilizumab_at, (hours) => `${hours} h`, plain);
  }
  return byClock(data);
};

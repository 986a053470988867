// Plots of values over time: lines and steps, broken where nothing is known between two values, with the limits that
// decide.

import uPlot from "../../vendor/uplot/uPlot.esm.js";
import { clipped, colourOf, css, hatch, inside, level, placeBefore, ratio, word, x, y } from "./canvas.js";
import { endOf, make } from "./lanes.js";
import { drawToday } from "./today.js";

const HEIGHTS = { systolic_mmhg: 92, map_mmhg: 92, temperature_c: 60, fio2_percent: 54 };
const STEP_HEIGHT = 48;
const RESULT_HEIGHT = 40;
const LOW_GRADE = 2;
const LABEL_APART = 13;
const NUMBER_PX = 7.5; // half the height of a number in the gutter, with air
const POINTS_DRAWN = 500;
const STEP_FLOORS = { fio2_percent: 21 };

const heightOf = (one) =>
  HEIGHTS[one.key] ?? (one.log ? RESULT_HEIGHT : one.step ? STEP_HEIGHT : HEIGHTS.temperature_c);

// Returns the points of a line, with a gap before each value to which no line is drawn, and the values without a
// neighbour.
const broken = (one) => {
  const at = [];
  const value = [];
  const begins = new Set(one.begins);
  const alone = [];
  one.at.forEach((each, place) => {
    if (place && begins.has(place)) {
      at.push((one.at[place - 1] + each) / 2);
      value.push(null);
    }
    const starts = place === 0 || begins.has(place);
    const ends = place + 1 === one.at.length || begins.has(place + 1);
    if (starts && ends) alone.push(each);
    at.push(each);
    value.push(one.value[place]);
  });
  return { points: [at, value], alone: new Set(alone) };
};

export const pointsOf = (all) =>
  all.length > 1 ? uPlot.join(all.map((one) => broken(one).points)) : broken(all[0]).points;

const limitAt = (limits, at) => limits[placeBefore(limits.map(([from]) => from), at)]?.[1] ?? null;

const limitLines = (data, all) => (u) => {
  for (const { limits, baseline } of all) {
    limits.forEach(([from, value], place) => {
      const until = limits[place + 1]?.[0] ?? endOf(data);
      if (value !== null) level(u, from, until, value, css("--g3"), [5, 3]);
    });
    if (baseline !== null) level(u, data.begins, endOf(data), baseline, css("--muted"), [1.5, 3]);
  }
};

// Hatches the time in which something not known could raise the grade.
const couldBe = (data, all) => (u) =>
  clipped(u, (ctx) => {
    for (const [from, to, reach] of all.flatMap((one) => one.could_be)) {
      const part = inside(u, from, to ?? data.known_at, 3);
      const { top, height } = u.bbox;
      if (part) hatch(ctx, part.left, top + 2, part.width, height - 4, colourOf(reach));
    }
  });

// Values of another cause are crossed, late and corrected ones framed and named; low pressures are ▼.
const drawMarks = (one, index) => (u) =>
  clipped(u, (ctx) => {
    const size = 4 * ratio();
    let free = -Infinity;
    ctx.lineWidth = 1.5 * ratio();
    for (const [place, words] of Object.entries(one.marks)) {
      const value = one.value[place];
      const at = one.at[place];
      if (value === null || at < u.scales.x.min || at > u.scales.x.max) continue;
      const [left, high] = [x(u, at), y(u, value)];
      if (words.includes("other")) {
        ctx.strokeStyle = css(index ? "--muted" : "--ink");
        ctx.beginPath();
        ctx.moveTo(left - size, high - size);
        ctx.lineTo(left + size, high + size);
        ctx.moveTo(left + size, high - size);
        ctx.lineTo(left - size, high + size);
        ctx.stroke();
      }
      const mark = words.find((each) => each === "late" || each === "corrected");
      if (!mark) continue;
      ctx.strokeStyle = css("--warn-line");
      ctx.strokeRect(left - size, high - size, 2 * size, 2 * size);
      if (!index && left - free > 30 * ratio()) free = word(u, mark, at, high);
    }
  });

const drawLows = (one) => (u) =>
  clipped(u, (ctx) => {
    if (one.key !== "systolic_mmhg" || !one.limits.length) return;
    ctx.fillStyle = colourOf(LOW_GRADE);
    const size = 4.5 * ratio();
    let last = -Infinity;
    const first = Math.max(0, placeBefore(one.at, u.scales.x.min));
    for (let place = first; place < one.at.length && one.at[place] <= u.scales.x.max; place += 1) {
      const value = one.value[place];
      if (value === null || one.marks[place]?.includes("other")) continue;
      const limit = limitAt(one.limits, one.at[place]);
      const left = x(u, one.at[place]);
      if (limit === null || value >= limit || left - last < 3 * ratio()) continue;
      last = left;
      const high = y(u, value) + 2 * ratio();
      ctx.beginPath();
      ctx.moveTo(left - size, high);
      ctx.lineTo(left + size, high);
      ctx.lineTo(left, high + 1.6 * size);
      ctx.fill();
    }
  });

// Steps hold until the next value and are never sloped; those that rest on an estimate are dashed.
const drawSteps = (data, one) => (u) =>
  clipped(u, (ctx) => {
    const begins = new Set(one.begins);
    ctx.strokeStyle = css("--ink");
    ctx.lineWidth = 1.75 * ratio();
    const first = Math.max(0, placeBefore(one.at, u.scales.x.min));
    for (let place = first; place < one.at.length && one.at[place] <= u.scales.x.max; place += 1) {
      const value = one.value[place];
      if (value === null) continue;
      const from = x(u, one.at[place]);
      const to = Math.max(x(u, one.at[place + 1] ?? endOf(data)), from + 2 * ratio());
      const high = y(u, value);
      const next = one.value[place + 1];
      ctx.setLineDash(one.marks[place]?.includes("estimated") ? [4 * ratio(), 3 * ratio()] : []);
      ctx.beginPath();
      ctx.moveTo(from, high);
      ctx.lineTo(to, high);
      ctx.stroke();
      if (next === null || next === undefined || begins.has(place + 1)) continue;
      ctx.setLineDash([]);
      ctx.beginPath();
      ctx.moveTo(to, high);
      ctx.lineTo(to, y(u, next));
      ctx.stroke();
    }
  });

const short = (value) => {
  if (value >= 10_000) return `${Math.round(value / 100) / 10}k`;
  return String(value < 1 ? Number(value.toPrecision(2)) : Math.round(value * 10) / 10);
};

const rangeOf = (all, isLog, height) => {
  const values = all.flatMap((one) => [
    ...one.value.filter((value) => value !== null),
    ...one.limits.map(([, value]) => value).filter((value) => value !== null),
    ...(one.baseline === null ? [] : [one.baseline]),
    ...(one.step ? [STEP_FLOORS[one.key] ?? 0] : []),
  ]);
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  if (isLog) return { low, high, range: [Math.max(low, 0.1) * 0.6, Math.max(high, 1) * 1.7] };
  const margin = (high - low || 1) * Math.max(0.14, NUMBER_PX / (height - 2 * NUMBER_PX));
  return { low, high, range: [low - margin, high + margin] };
};

// Returns the numbers in the gutter: limits first, then the baseline and the ends, without overlap.
const numbersOf = (all, { low, high, range }, isLog, height) => {
  const limits = all.flatMap((one) => one.limits.map(([, value]) => value));
  const baselines = all.map((one) => one.baseline);
  const decades = [];
  for (let one = 10 ** Math.ceil(Math.log10(range[0])); one <= range[1]; one *= 10) decades.unshift(one);
  const wanted = isLog ? decades : [...limits, ...baselines, high, low];
  const place = isLog ? Math.log10 : (value) => value;
  const [bottom, top] = range.map(place);
  const pixel = (value) => ((place(value) - bottom) / (top - bottom)) * height;
  const shown = [];
  for (const value of wanted) {
    if (value === null || pixel(value) < 5 || pixel(value) > height - 5) continue;
    if (shown.every((other) => Math.abs(pixel(other) - pixel(value)) >= LABEL_APART)) shown.push(value);
  }
  return shown.sort((a, b) => a - b);
};

// Plots of one or two series of one unit.
export const plot = (data, state, host, all) => {
  const isLog = all[0].log && all.every((one) => one.value.every((value) => value === null || value > 0));
  const height = heightOf(all[0]);
  const ends = rangeOf(all, isLog, height);
  const shown = numbersOf(all, ends, isLog, height);
  const series = all.map((one, index) => {
    const { alone } = broken(one);
    const colour = () => css(index ? "--muted" : "--ink");
    return {
      stroke: colour,
      width: index ? 1.25 : 1.75,
      spanGaps: false,
      paths: one.step ? () => null : undefined,
      points: {
        show: !one.step,
        size: index ? 3 : 4,
        fill: colour,
        filter: (u, place) => {
          const [first, last] = u.series[place].idxs ?? [0, 0];
          if (last - first <= POINTS_DRAWN) return null;
          const found = [];
          for (let at = first; at <= last; at += 1) if (alone.has(u.data[0][at])) found.push(at);
          return found;
        },
      },
    };
  });
  const steps = all.filter((one) => one.step);
  return make(data, state, host, {
    height,
    y: { range: ends.range, ...(isLog ? { distr: 3 } : {}) },
    series,
    axis: { splits: () => shown, values: (u, splits) => splits.map(short) },
    draw: [
      couldBe(data, all),
      limitLines(data, all),
      ...steps.map((one) => drawSteps(data, one)),
      ...all.map(drawLows),
      ...all.map(drawMarks),
      drawToday(data, all.map(({ key }) => key)),
    ],
    points: pointsOf(all),
  });
};

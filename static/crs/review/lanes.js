// Builds the lanes of the review page: one time axis, equal gutters, a value column at the right.

import uPlot from "../../vendor/uplot/uPlot.esm.js";

import { STRIP, drawSigned, lastLooked } from "./signed_marks.js";

const GUTTER = 44;
const ROW = 22;
const SYNC = "crs-review";

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const ratio = () => window.devicePixelRatio || 1;

export const colourOf = (grade) => css(`--g${grade ?? 0}`);

// Returns the place of the last number in `sorted` that is not after `value`, else -1.
export const placeBefore = (sorted, value) => {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
};

const element = (tag, className, text) => {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};

// The row of a lane: its name, the place of its plot and the place of its value.
export const row = (name, unit) => {
  const lane = element("div", "lane");
  const label = element("div", "lane-name", name);
  if (unit) label.append(element("small", "", unit));
  const plot = element("div", "lane-plot");
  const value = element("div", "lane-value");
  value.append(element("b", "", "–"), element("small"));
  lane.append(label, plot, value);
  return { lane, label, plot, value };
};

export const show = ({ value }, text, small, grade) => {
  value.firstChild.textContent = text;
  value.lastChild.textContent = small ?? "";
  if (grade !== undefined) value.dataset.grade = grade ?? "none";
};

const x = (u, at) => u.valToPos(at, "x", true);
const y = (u, value) => u.valToPos(value, "y", true);

const box = (u) => u.bbox;

const band = (u, from, to, colour) => {
  const { left, top, width, height } = box(u);
  const a = Math.max(left, x(u, from));
  const b = Math.min(left + width, x(u, to));
  if (b <= a) return;
  u.ctx.fillStyle = colour;
  u.ctx.fillRect(a, top, b - a, height);
};

const upright = (u, at, colour, dash, width = 1) => {
  const { left, top, width: wide, height } = box(u);
  const place = Math.round(x(u, at)) + 0.5;
  if (place < left || place > left + wide) return;
  const { ctx } = u;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = width * ratio();
  ctx.setLineDash(dash.map((part) => part * ratio()));
  ctx.beginPath();
  ctx.moveTo(place, top);
  ctx.lineTo(place, top + height);
  ctx.stroke();
  ctx.restore();
};

const ground = (data) => (u) => {
  for (const [from, to] of data.nights) band(u, from, to, css("--sunken"));
};

const marks = (data, state) => (u) => {
  if (data.first_tocilizumab_at !== null) upright(u, data.first_tocilizumab_at, css("--ink"), [1, 3]);
  const looked = lastLooked();
  if (looked !== null) upright(u, looked, css("--muted"), [6, 4], 1.5);
  if (state.at !== null) upright(u, state.at, css("--accent"), [], 2);
};

const options = (data, state, { height, scales, series, axes, hooks = {} }) => ({
  width: 300,
  height,
  padding: [4, 6, 4, 0],
  ms: 1,
  legend: { show: false },
  cursor: {
    y: false,
    points: { show: false },
    sync: { key: SYNC, scales: ["x", null], setSeries: false },
    drag: { x: true, y: false, setScale: false },
  },
  select: { show: true },
  scales: { x: { time: true, auto: false, range: () => state.window }, ...scales },
  series,
  axes,
  hooks: {
    drawClear: [ground(data)],
    draw: [...(hooks.draw ?? []), marks(data, state)],
    setCursor: [(u) => state.hover(u.cursor.left >= 0 ? u.posToVal(u.cursor.left, "x") : null)],
    setSelect: [
      (u) => {
        const { left, width } = u.select;
        if (width > 8) state.zoom(u.posToVal(left, "x"), u.posToVal(left + width, "x"));
        u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      },
    ],
  },
});

const hiddenAxis = { show: false };
const gutterAxis = (splits, values) => ({
  size: GUTTER,
  gap: 4,
  font: `${12}px system-ui, sans-serif`,
  stroke: () => css("--muted"),
  grid: { show: false },
  ticks: { show: false },
  splits,
  values,
});

export const timeLane = (data, state, host, label) => {
  const made = options(data, state, {
    height: 40,
    scales: { y: { auto: false, range: [0, 1] } },
    series: [{}, { show: false }],
    axes: [
      {
        side: 0,
        size: 30,
        gap: 2,
        space: 62,
        font: `${12}px system-ui, sans-serif`,
        stroke: () => css("--ink"),
        grid: { show: false },
        ticks: { stroke: () => css("--edge"), width: 1, size: 5 },
        splits: label.splits,
        values: label.values,
      },
      gutterAxis(() => [], () => []),
    ],
  });
  return new uPlot(made, [[data.begins, data.known_at], [null, null]], host);
};

const hatch = (ctx, left, top, width, height, colour) => {
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 2 * ratio();
  ctx.beginPath();
  for (let at = left - height; at < left + width; at += 6 * ratio()) {
    ctx.moveTo(at, top + height);
    ctx.lineTo(at + height, top);
  }
  ctx.stroke();
  ctx.setLineDash([3 * ratio(), 2 * ratio()]);
  ctx.strokeRect(left, top, width, height);
  ctx.restore();
};

// Periods of one grade after another as one run.
export const runsOf = (periods) => {
  const runs = [];
  for (const { from, to, grade } of periods) {
    const last = runs.at(-1);
    if (last && last.grade === grade && last.to === from) last.to = to;
    else runs.push({ from, to, grade });
  }
  return runs;
};

// The staircase of grades: the height tells the grade, the number stands in it, hatched could be.
export const ribbon = (data, state, host) => {
  const runs = runsOf(data.periods);
  const draw = (u) => {
    const { ctx } = u;
    const { left, width } = box(u);
    const bottom = y(u, 0);
    ctx.save();
    ctx.font = `700 ${13 * ratio()}px system-ui, sans-serif`;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    for (const run of runs) {
      const from = Math.max(left, x(u, run.from));
      const to = Math.min(left + width, x(u, run.to ?? data.known_at));
      if (to <= left || from >= left + width) continue;
      const top = run.grade ? y(u, run.grade) : bottom - 3 * ratio();
      const wide = Math.max(to - from, 2 * ratio());
      ctx.fillStyle = colourOf(run.grade);
      ctx.fillRect(from, top, wide, bottom - top);
      const fits = run.grade > 0 && wide > 16 * ratio();
      ctx.fillStyle = fits ? css("--surface") : css("--ink");
      ctx.fillText(String(run.grade), from + wide / 2, fits ? (top + bottom) / 2 : top - 8 * ratio());
    }
    for (const period of data.periods) {
      if (period.at_most <= period.grade) continue;
      const from = Math.max(left, x(u, period.from));
      const to = Math.min(left + width, x(u, period.to ?? data.known_at));
      if (to <= left || from >= left + width) continue;
      const high = y(u, period.at_most);
      const low = period.grade ? y(u, period.grade) : bottom;
      hatch(ctx, from, high, Math.max(to - from, 2 * ratio()), low - high, colourOf(period.at_most));
      ctx.fillStyle = css("--ink");
      if (to - from > 18 * ratio()) ctx.fillText(`?${period.at_most}`, (from + to) / 2, high - 8 * ratio());
    }
    ctx.restore();
  };
  const made = options(data, state, {
    height: 92 + STRIP,
    scales: { y: { auto: false, range: [0, 5.6] } },
    series: [{}, { show: false }],
    axes: [hiddenAxis, gutterAxis(() => [1, 2, 3, 4, 5], (u, splits) => splits.map(String))],
    hooks: { draw: [draw, drawSigned(data, { css, ratio, x, box })] },
  });
  made.padding = [4, 6, 4 + STRIP, 0];
  return new uPlot(made, [[data.begins, data.known_at], [null, null]], host);
};

// One thin bar a criterion, from start to end.
export const criteria = (data, state, host) => {
  const draw = (u) => {
    const { ctx } = u;
    const { left, top, width } = box(u);
    data.lanes.forEach((lane, place) => {
      ctx.fillStyle = colourOf(lane.grade);
      const middle = top + (place + 0.5) * ROW * ratio();
      for (const [start, end] of lane.spans) {
        const from = Math.max(left, x(u, start));
        const to = Math.min(left + width, x(u, end ?? data.known_at));
        if (to <= left || from >= left + width) continue;
        ctx.fillRect(from, middle - 4 * ratio(), Math.max(to - from, 2 * ratio()), 8 * ratio());
      }
    });
  };
  const made = options(data, state, {
    height: Math.max(1, data.lanes.length) * ROW,
    scales: { y: { auto: false, range: [0, 1] } },
    series: [{}, { show: false }],
    axes: [hiddenAxis, gutterAxis(() => [], () => [])],
    hooks: { draw: [draw] },
  });
  made.padding = [0, 6, 0, 0];
  return new uPlot(made, [[data.begins, data.known_at], [null, null]], host);
};

const SIGN = { treatment: "|", antipyretic: "○", fluid_bolus: "▼", judgement: "◆" };

// Treatments as marks; the words stand where there is room for them.
export const given = (data, state, host) => {
  const draw = (u) => {
    const { ctx } = u;
    const { left, top, width, height } = box(u);
    ctx.save();
    ctx.font = `600 ${12 * ratio()}px system-ui, sans-serif`;
    ctx.textBaseline = "middle";
    ctx.fillStyle = css("--ink");
    let free = -Infinity;
    for (const item of data.given) {
      const at = x(u, item.at);
      if (at < left || at > left + width) continue;
      ctx.textAlign = "center";
      const isTreatment = item.kind === "treatment";
      ctx.fillText(SIGN[item.kind], at, top + height * (isTreatment ? 0.3 : 0.75));
      if (!isTreatment) continue;
      ctx.textAlign = "left";
      const words = item.text.split(" ")[0];
      const place = at + 4 * ratio();
      const end = place + ctx.measureText(words).width;
      if (place > free && end < left + width) {
        ctx.fillText(words, place, top + height * 0.3);
        free = end + 6 * ratio();
      }
    }
    ctx.restore();
  };
  const made = options(data, state, {
    height: 40,
    scales: { y: { auto: false, range: [0, 1] } },
    series: [{}, { show: false }],
    axes: [hiddenAxis, gutterAxis(() => [], () => [])],
    hooks: { draw: [draw] },
  });
  return new uPlot(made, [[data.begins, data.known_at], [null, null]], host);
};

const IS_LOG = /^lab\./;
const HEIGHT = 78;

const limitLines = (data, all) => (u) => {
  const { ctx } = u;
  const { left, width } = box(u);
  ctx.save();
  ctx.strokeStyle = css("--g3");
  ctx.lineWidth = ratio();
  ctx.setLineDash([5 * ratio(), 3 * ratio()]);
  for (const { limits } of all) {
    limits.forEach(([from, value], place) => {
      const until = limits[place + 1]?.[0] ?? data.known_at;
      const a = Math.max(left, x(u, from));
      const b = Math.min(left + width, x(u, until));
      if (b <= a) return;
      ctx.beginPath();
      ctx.moveTo(a, y(u, value));
      ctx.lineTo(b, y(u, value));
      ctx.stroke();
    });
  }
  ctx.restore();
};

// Estimated and derived values are hollow, values of another cause are crossed.
const drawMarks = (one, index) => (u) => {
  const { ctx } = u;
  const { left, width } = box(u);
  ctx.save();
  ctx.lineWidth = 1.5 * ratio();
  for (const [place, words] of Object.entries(one.marks)) {
    const value = one.value[place];
    if (value === null) continue;
    const at = x(u, one.at[place]);
    if (at < left || at > left + width) continue;
    const high = y(u, value);
    const size = 4 * ratio();
    ctx.strokeStyle = css(index ? "--muted" : "--ink");
    if (words.includes("other")) {
      ctx.beginPath();
      ctx.moveTo(at - size, high - size);
      ctx.lineTo(at + size, high + size);
      ctx.moveTo(at + size, high - size);
      ctx.lineTo(at - size, high + size);
      ctx.stroke();
    } else if (words.includes("late") || words.includes("corrected")) {
      ctx.strokeStyle = css("--warn-line");
      ctx.strokeRect(at - size, high - size, 2 * size, 2 * size);
    }
  }
  ctx.restore();
};

// Steps that rest on an estimate are dashed: the line itself is drawn here, not by uPlot.
const drawSteps = (data, one) => (u) => {
  const { ctx } = u;
  const { left, top, width, height } = box(u);
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.strokeStyle = css("--ink");
  ctx.lineWidth = 1.75 * ratio();
  const first = Math.max(0, placeBefore(one.at, u.scales.x.min));
  for (let place = first; place < one.at.length && one.at[place] <= u.scales.x.max; place += 1) {
    const value = one.value[place];
    if (value === null) continue;
    const from = x(u, one.at[place]);
    const to = x(u, one.at[place + 1] ?? data.known_at);
    const high = y(u, value);
    const next = one.value[place + 1];
    ctx.setLineDash(one.marks[place]?.includes("estimated") ? [4 * ratio(), 3 * ratio()] : []);
    ctx.beginPath();
    ctx.moveTo(from, high);
    ctx.lineTo(to, high);
    if (next !== null && next !== undefined) ctx.lineTo(to, y(u, next));
    ctx.stroke();
  }
  ctx.restore();
};

// Plots of one or two series of one unit, with the limits that decide.
export const plot = (data, state, host, all) => {
  const values = all.flatMap((one) => [
    ...one.value.filter((value) => value !== null),
    ...one.limits.map(([, value]) => value),
  ]);
  const isLog = IS_LOG.test(all[0].key);
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  const margin = (high - low || 1) * 0.12;
  const range = isLog
    ? [Math.max(low, 0.1) * 0.7, Math.max(high, 1) * 1.4]
    : [low >= 0 && low - margin < 0 ? -margin / 4 : low - margin, high + margin];
  const limits = [...new Set(all.flatMap((one) => one.limits.map(([, value]) => value)))];
  const shown = limits.length
    ? limits
    : isLog
      ? [low, high].map((value) => 10 ** Math.round(Math.log10(Math.max(value, 0.1))))
      : [high];
  const joined = uPlot.join(all.map((one) => [one.at, one.value]));
  const series = all.map((one, index) => ({
    stroke: () => css(index ? "--muted" : "--ink"),
    width: index ? 1.25 : 1.75,
    spanGaps: false,
    paths: one.step ? () => null : undefined,
    points: { show: !one.step && one.at.length < 2000, size: 4, fill: () => css(index ? "--muted" : "--ink") },
  }));
  const made = options(data, state, {
    height: HEIGHT,
    scales: { y: { auto: false, range, ...(isLog ? { distr: 3 } : {}) } },
    series: [{}, ...series],
    axes: [
      hiddenAxis,
      gutterAxis(
        () => [...new Set(shown)].filter((value) => value >= range[0] && value <= range[1]),
        (u, splits) => splits.map((value) => String(Math.round(value * 100) / 100)),
      ),
    ],
    hooks: {
      draw: [
        limitLines(data, all),
        ...all.filter((one) => one.step).map((one) => drawSteps(data, one)),
        ...all.map(drawMarks),
      ],
    },
  });
  return new uPlot(made, all.length > 1 ? joined : [all[0].at, all[0].value], host);
};

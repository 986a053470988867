// Builds the lanes of the review page: one time axis, equal gutters, a value column at the right.

import uPlot from "../../vendor/uplot/uPlot.esm.js";
import {
  band, clipped, colourOf, css, font, hatch, inside, placeBefore, ratio, upright, x, y,
} from "./canvas.js";
import { STRIP, drawSigned } from "./signed_marks.js";
import { drawToday } from "./today.js";

const GUTTER = 40;
const ROW = 20;
const SYNC = "crs-review";

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
  value.append(element("b", "", "–"), " ", element("small"));
  lane.append(label, plot, value);
  return { lane, label, plot, value };
};

export const show = ({ value }, text, small, grade) => {
  value.firstChild.textContent = text;
  value.lastChild.textContent = small ?? "";
  if (grade !== undefined) value.dataset.grade = grade ?? "none";
};

const NIGHT_PX = 5; // narrower nights are left out: they would be a pattern
const NIGHT = 8 * 3600;
const DOTS_PX = 8;

// Draws nights, and dots over the time that was not known yet.
const ground = (data) => (u) => {
  if ((x(u, NIGHT) - x(u, 0)) / ratio() >= NIGHT_PX) {
    for (const [from, to] of data.nights) band(u, from, to, css("--sunken"));
  }
  const ahead = data.is_then && inside(u, data.known_at, u.scales.x.max);
  if (!ahead) return;
  const { ctx, bbox } = u;
  const apart = DOTS_PX * ratio();
  ctx.fillStyle = css("--muted");
  for (let high = bbox.top + apart / 2; high < bbox.top + bbox.height; high += apart) {
    for (let at = ahead.left + apart / 2; at < ahead.left + ahead.width; at += apart) {
      ctx.fillRect(Math.round(at), Math.round(high), 1.5 * ratio(), 1.5 * ratio());
    }
  }
};

const marks = (data, state) => (u) => {
  if (data.seen_at) upright(u, data.seen_at, css("--muted"), [6, 4], 1.5);
  if (data.first_tocilizumab_at !== null) {
    upright(u, data.first_tocilizumab_at, css("--ink"), [1.5, 2.5], 1.5);
  }
  if (state.at !== null) upright(u, state.at, css("--accent"), [], 2);
};

// Draws, and restores the colours of the canvas: uPlot remembers which it has set and does not set them
// again.
const restored = (draw) => (u) => {
  u.ctx.save();
  draw(u);
  u.ctx.restore();
};

// One uPlot of a lane; all share the cursor, the window and the gutter at the left.
export const make = (data, state, host, { height, below = 0, y: scale, series, axis, draw = [], points, isBare }) => {
  const options = {
    width: 300,
    height: height + below,
    padding: [0, 1, below, 0],
    ms: 1,
    legend: { show: false },
    cursor: {
      y: false,
      points: { show: false },
      sync: { key: SYNC, scales: ["x", null], setSeries: false },
      drag: { x: true, y: false, setScale: false },
    },
    scales: {
      x: { time: true, auto: false, range: () => state.window },
      y: { auto: false, range: [0, 1], ...scale },
    },
    series: [{}, ...(series ?? [{ show: false }])],
    axes: [
      { show: false },
      {
        size: GUTTER,
        gap: 4,
        font: font(700, 12).replace(/[\d.]+px/, "12px"),
        stroke: () => css("--muted"),
        grid: { show: false },
        ticks: { show: false },
        splits: axis?.splits ?? (() => []),
        values: axis?.values ?? (() => []),
        filter: (u, splits) => splits,
      },
    ],
    hooks: {
      drawClear: [restored(ground(data))],
      draw: [...draw, ...(isBare ? [] : [marks(data, state)])].map(restored),
      setCursor: [(u) => state.hover(u.cursor.left >= 0 ? u.posToVal(u.cursor.left, "x") : null)],
      setSelect: [
        (u) => {
          const { left, width } = u.select;
          if (width > 8) state.zoom(u.posToVal(left, "x"), u.posToVal(left + width, "x"));
          if (width) u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
  return new uPlot(options, points ?? [[data.begins, data.known_at], [null, null]], host);
};

// Joins consecutive periods of one grade into one run.
const runsOf = (periods) => {
  const runs = [];
  for (const { from, to, grade } of periods) {
    const last = runs.at(-1);
    if (last && last.grade === grade && last.to === from) last.to = to;
    else runs.push({ from, to, grade });
  }
  return runs;
};

// Returns the runs of the grade; a grade 0 is null as long as too little was charted to know it.
const knownRuns = (data) =>
  runsOf(data.periods).flatMap((run) => {
    const since = data.assessed_since ?? Infinity;
    const to = run.to ?? data.known_at;
    if (run.grade !== 0 || since <= run.from) return [run];
    const before = { ...run, grade: null, to: Math.min(since, to) };
    return since < to ? [before, { ...run, from: since }] : [before];
  });

export const notAssessed = (ctx, part, bottom) => {
  ctx.save();
  ctx.strokeStyle = css("--muted");
  ctx.setLineDash([1.5 * ratio(), 3 * ratio()]);
  ctx.beginPath();
  ctx.moveTo(part.left, bottom - ratio());
  ctx.lineTo(part.left + part.width, bottom - ratio());
  ctx.stroke();
  ctx.font = font();
  ctx.textAlign = "left";
  ctx.fillStyle = css("--muted");
  if (ctx.measureText("not assessed").width + 8 * ratio() < part.width) {
    ctx.fillText("not assessed", part.left + 4 * ratio(), bottom - 9 * ratio());
  }
  ctx.restore();
};

// The grade as steps: height and number are the grade, and a grade that is possible is hatched.
export const ribbon = (data, state, host) => {
  const runs = knownRuns(data);
  const draw = (u) =>
    clipped(u, (ctx) => {
      const { left, width } = u.bbox;
      const bottom = y(u, 0);
      ctx.lineWidth = ratio();
      ctx.strokeStyle = css("--line");
      for (const grade of [1, 2, 3, 4]) {
        ctx.beginPath();
        ctx.moveTo(left, Math.round(y(u, grade)) + 0.5);
        ctx.lineTo(left + width, Math.round(y(u, grade)) + 0.5);
        ctx.stroke();
      }
      ctx.font = font(700, 13);
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      let free = -Infinity;
      for (const run of runs) {
        const part = inside(u, run.from, run.to ?? data.known_at, 2);
        if (!part) continue;
        if (run.grade === null) {
          notAssessed(ctx, part, bottom);
          continue;
        }
        const top = run.grade ? y(u, run.grade) : bottom - 3 * ratio();
        ctx.fillStyle = colourOf(run.grade);
        ctx.fillRect(part.left, top, part.width, bottom - top);
        const fits = run.grade > 0 && part.width > 14 * ratio();
        ctx.fillStyle = fits ? css("--surface") : css("--ink");
        const middle = part.left + (run.grade ? part.width / 2 : Math.min(part.width / 2, 8 * ratio()));
        if (!fits && middle < free) continue; // else numbers would stand upon each other
        ctx.fillText(String(run.grade), middle, fits ? (top + bottom) / 2 : top - 8 * ratio());
        free = middle + 11 * ratio();
      }
      for (const period of data.periods) {
        if (period.at_most <= period.grade) continue;
        const part = inside(u, period.from, period.to ?? data.known_at, 2);
        if (!part) continue;
        const high = y(u, period.at_most);
        const low = period.grade ? y(u, period.grade) : bottom;
        hatch(ctx, part.left, high, part.width, low - high, colourOf(period.at_most));
        ctx.fillStyle = css("--ink");
        if (part.width > 16 * ratio()) {
          ctx.fillText(`?${period.at_most}`, part.left + part.width / 2, high - 8 * ratio());
        }
      }
    });
  return make(data, state, host, {
    height: 72,
    below: STRIP,
    y: { range: [0, 5.7] },
    axis: { splits: () => [1, 2, 3, 4, 5], values: (u, splits) => splits.map(String) },
    draw: [draw, drawSigned(data), drawToday(data, ["grade"])],
  });
};

// One row for each criterion, with a thin bar for each time in which it was met; the time in which the three hours of
// a high dose are counted is dashed.
export const criteria = (data, state, host) => {
  const draw = (u) =>
    clipped(u, (ctx) => {
      const { left, top, width } = u.bbox;
      data.lanes.forEach((lane, place) => {
        const middle = top + (place + 0.5) * ROW * ratio();
        ctx.fillStyle = css("--line");
        if (place) ctx.fillRect(left, Math.round(top + place * ROW * ratio()), width, 1);
        const colour = colourOf(lane.grade);
        ctx.fillStyle = colour;
        for (const [start, end] of lane.spans) {
          const part = inside(u, start, end ?? data.known_at, 2);
          if (part) ctx.fillRect(part.left, middle - 4 * ratio(), part.width, 8 * ratio());
        }
        if (lane.code !== "vasopressor.high_dose") return;
        ctx.strokeStyle = colour;
        ctx.lineWidth = 1.25 * ratio();
        ctx.setLineDash([3 * ratio(), 2 * ratio()]);
        for (const [start, end] of data.counting) {
          const part = inside(u, start, end ?? data.known_at, 2);
          if (part) ctx.strokeRect(part.left, middle - 4 * ratio(), part.width, 8 * ratio());
        }
        ctx.setLineDash([]);
      });
    });
  return make(data, state, host, { height: Math.max(1, data.lanes.length) * ROW, draw: [draw] });
};

// Returns where the line of a running drug or device ends: at a death, else at the time known.
export const endOf = (data) => data.died_at ?? data.known_at;

const SIGN = { antipyretic: "○", fluid_bolus: "▼", judgement: "◆" };

const TREATMENT = 12; // the height of the mark of a treatment, and where its words begin
const WORDS = 21;
const SIGNS = 44;

// Treatments as marks at the top, their words below where there is room, first those of
// tocilizumab; a mark reaches down to its words. Everything else is a sign below.
export const given = (data, state, host) => {
  const draw = (u) =>
    clipped(u, (ctx) => {
      const { left, top, width } = u.bbox;
      ctx.font = font(650);
      ctx.textBaseline = "middle";
      ctx.textAlign = "center";
      ctx.fillStyle = css("--ink");
      const gap = 4 * ratio();
      const taken = [];
      const inOrder = [...data.given].sort(
        (a, b) => Number(b.at === data.first_tocilizumab_at) - Number(a.at === data.first_tocilizumab_at),
      );
      for (const item of inOrder) {
        const at = x(u, item.at);
        if (at < left || at > left + width) continue;
        if (item.kind !== "treatment") {
          ctx.fillText(SIGN[item.kind], at, top + SIGNS * ratio());
          continue;
        }
        const words = item.text.split(" ")[0];
        const wide = ctx.measureText(words).width;
        const from = [at + gap, at - gap - wide].find(
          (begins) =>
            begins >= left && begins + wide < left + width &&
            taken.every(([a, b]) => begins > b + gap || begins + wide < a - gap),
        );
        const tall = from === undefined ? TREATMENT : WORDS + 6;
        ctx.fillRect(Math.round(at - ratio()), top, 2 * ratio(), tall * ratio());
        if (from === undefined) continue;
        taken.push([Math.min(from, at), Math.max(from + wide, at)]);
        ctx.textAlign = "left";
        ctx.fillText(words, from, top + WORDS * ratio());
        ctx.textAlign = "center";
      }
    });
  return make(data, state, host, { height: 60, draw: [draw] });
};

// What the patient breathed by, as boxes with its name.
export const devices = (data, state, host) => {
  const draw = (u) =>
    clipped(u, (ctx) => {
      const { top, height: whole } = u.bbox;
      const height = Math.min(whole, 34 * ratio());
      ctx.font = font();
      ctx.textBaseline = "middle";
      ctx.textAlign = "left";
      ctx.lineWidth = ratio();
      data.devices.forEach(({ at, label }, place) => {
        const part = inside(u, at, data.devices[place + 1]?.at ?? endOf(data));
        if (!part) return;
        const room = 5 * ratio();
        ctx.fillStyle = css("--sunken");
        ctx.strokeStyle = css("--edge");
        ctx.fillRect(part.left, top + room, part.width, height - 2 * room);
        ctx.strokeRect(Math.round(part.left) + 0.5, top + room + 0.5, part.width, height - 2 * room - 1);
        ctx.fillStyle = css("--ink");
        const isNew = data.devices[place - 1]?.label !== label || part.left === u.bbox.left;
        if (isNew && ctx.measureText(label).width + 8 * ratio() < part.width) {
          ctx.fillText(label, part.left + 4 * ratio(), top + height / 2);
        }
      });
    });
  return make(data, state, host, { height: 54, draw: [draw, drawToday(data, ["device"])] });
};

export { placeBefore };

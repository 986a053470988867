// Bands of ASTCT and ICANS under the ribbon of Lee's grade: paler and lower, on the same time axis.

import { clipped, colourOf, css, font, hatch, inside, placeBefore, ratio, y } from "./canvas.js";
import { near } from "./axis.js";
import { make, notAssessed, show } from "./lanes.js";
import { failed } from "./loading.js";

const HEIGHT = 26;
const PALE = 0.28;

// One band: the number stands in it, what could be higher is hatched, "not assessed" is dotted.
const band = (data, state, host, scale) => {
  const draw = (u) =>
    clipped(u, (ctx) => {
      const [top, bottom] = [y(u, 1) + 3 * ratio(), y(u, 0) - 3 * ratio()];
      ctx.textBaseline = "middle";
      ctx.textAlign = "left";
      let free = -Infinity;
      for (const level of scale.levels) {
        const part = inside(u, level.from, level.to ?? data.known_at, 2);
        if (!part) continue;
        const isKnown = level.grade !== null;
        const couldBe = level.at_most > (level.grade ?? 0);
        if (isKnown) {
          ctx.globalAlpha = PALE;
          ctx.fillStyle = colourOf(level.grade);
          ctx.fillRect(part.left, top, part.width, bottom - top);
          ctx.globalAlpha = 1;
          ctx.fillRect(part.left, bottom - 2 * ratio(), part.width, 2 * ratio());
        }
        if (couldBe) hatch(ctx, part.left, top, part.width, bottom - top, colourOf(level.at_most));
        const words = `${isKnown ? level.grade : ""}${couldBe ? ` ?${level.at_most}` : ""}`.trim();
        if (!isKnown && !couldBe) {
          notAssessed(ctx, part, bottom);
          continue;
        }
        ctx.font = font(700);
        const from = part.left + 4 * ratio();
        const wide = ctx.measureText(words).width;
        if (from < free || wide + 5 * ratio() > part.width) continue;
        if (couldBe) {
          ctx.fillStyle = css("--surface");
          ctx.fillRect(from - 2 * ratio(), top + 2 * ratio(), wide + 4 * ratio(), bottom - top - 5 * ratio());
        }
        ctx.fillStyle = css("--ink");
        ctx.fillText(words, from, (top + bottom) / 2 - ratio());
        free = from + wide + 3 * ratio();
      }
    });
  return make(data, state, host, { height: HEIGHT, y: { range: [0, 1] }, draw: [draw] });
};

const read = (lane, scale, at) => {
  if (!scale.isLoaded) return show(lane, "–", "loading", null);
  const level = scale.levels[placeBefore(scale.levels.map(({ from }) => from), at)];
  if (!level || (level.to !== null && level.to <= at)) return show(lane, "–", "not graded", null);
  const bound = level.at_most > (level.grade ?? 0) ? `could be ${level.at_most}, ` : "";
  const since = `${bound}since ${near(level.from, at)}`;
  if (level.grade === null) return show(lane, "–", `not assessed, ${since}`, null);
  show(lane, level.grade, since, level.grade);
};

const NAMES = { "astct-2019": "ASTCT", "icans-2019": "ICANS" };

// Adds a lane for each scale, and loads them once all else is drawn; returns what loads them.
export const addScaleBands = (page, address, again) => {
  const { data, state } = page;
  const scales = Object.keys(NAMES).map((key) => ({ key, levels: [], isLoaded: false }));
  const lanes = scales.map((scale) =>
    page.add(NAMES[scale.key], "2019, not the grade", {
      rows: [scale.key],
      make: (place) => band(data, state, place, scale),
      read: (lane, at) => read(lane, scale, at),
    }),
  );
  return async () => {
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(`the other scales were answered ${answer.status}`);
      const found = Object.fromEntries((await answer.json()).scales.map((one) => [one.key, one.levels]));
      for (const scale of scales) Object.assign(scale, { levels: found[scale.key] ?? [], isLoaded: true });
    } catch (error) {
      console.warn(error);
      lanes.forEach((lane, place) => failed(lane, NAMES[scales[place].key], again));
    }
  };
};

// Boxes round what is different today, for a page of the past that was asked to mark it.

import { clipped, css, font, inside, ratio, x } from "./canvas.js";

const LEAST = 12;
const TAG = 16;

// Draws a dashed box with "today 2" at each time in which today's value is another one.
export const drawToday = (data, keys) => (u) => {
  const found = keys.flatMap((key) => data.today?.[key] ?? []);
  if (!found.length) return;
  clipped(u, (ctx) => {
    const { left, top, width, height } = u.bbox;
    ctx.font = font(700);
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    const free = [-Infinity, -Infinity]; // of the tags at the top, and of those at the bottom
    for (const [from, to, text] of found) {
      const part = inside(u, from, to);
      if (!part) continue;
      const wide = Math.max(part.width, LEAST * ratio());
      const middle = part.width < wide ? x(u, (from + to) / 2) : part.left + part.width / 2;
      const begins = Math.min(Math.max(middle - wide / 2, left + ratio()), left + width - wide - ratio());
      ctx.strokeStyle = css("--ink");
      ctx.lineWidth = 2 * ratio();
      ctx.setLineDash([5 * ratio(), 3 * ratio()]);
      ctx.strokeRect(begins, top + ratio(), wide, height - 2 * ratio());
      ctx.setLineDash([]);
      const words = `today ${text}`;
      const tag = ctx.measureText(words).width + 10 * ratio();
      const tagged = Math.min(Math.max(middle - tag / 2, left), left + width - tag);
      const row = free.findIndex((ends) => tagged >= ends);
      if (row < 0) continue;
      free[row] = tagged + tag + 2 * ratio();
      const high = row ? top + height - TAG * ratio() : top;
      ctx.fillStyle = css("--ink");
      ctx.fillRect(tagged, high, tag, TAG * ratio());
      ctx.fillStyle = css("--surface");
      ctx.fillText(words, tagged + tag / 2, high + (TAG / 2 + 0.5) * ratio());
    }
  });
};

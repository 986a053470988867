// The sign-offs of a course in the plots: a strip below the staircase of grades, by sign and frame,
// never by colour alone.

import { css, font, inside, ratio } from "./canvas.js";

export const STRIP = 22; // the height of the strip, in pixels of the page

const signedPeriods = () => JSON.parse(document.querySelector("#sign-off")?.dataset.marks ?? "[]");

// The period of a sign-off, or of none, at an instant.
export const signedAt = (at) =>
  signedPeriods().find(({ from, to }) => from <= at && (to === null || at < to)) ?? null;

const FRAMES = {
  new_look: { fill: "--warn-bg", stroke: "--warn-line", width: 2, dash: [] },
  not_signed: { fill: null, stroke: "--edge", width: 1, dash: [4, 3] },
  another_grade: { fill: "--sunken", stroke: "--ink", width: 1.5, dash: [] },
  fell: { fill: "--sunken", stroke: "--ink", width: 1.5, dash: [] },
  signed: { fill: null, stroke: "--edge", width: 1, dash: [] },
};

// Draws the strip below a plot.
export const drawSigned = (data) => (u) => {
  const { ctx } = u;
  const scale = ratio();
  const high = u.bbox.top + u.bbox.height + 3 * scale;
  const tall = (STRIP - 5) * scale;
  ctx.save();
  ctx.font = font(600);
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  for (const { from, to, key, mark, label } of signedPeriods()) {
    const part = inside(u, from, to ?? data.known_at);
    if (!part) continue;
    const { left } = part;
    const wide = Math.max(part.width - scale, 2 * scale);
    const frame = FRAMES[key];
    if (frame.fill) {
      ctx.fillStyle = css(frame.fill);
      ctx.fillRect(left, high, wide, tall);
    }
    ctx.strokeStyle = css(frame.stroke);
    ctx.lineWidth = frame.width * scale;
    ctx.setLineDash(frame.dash.map((one) => one * scale));
    ctx.strokeRect(left + scale / 2, high, wide, tall);
    ctx.fillStyle = css(key === "new_look" ? "--warn-ink" : "--ink");
    const room = wide - 8 * scale;
    const words = [`${mark} ${label}`, mark].find((text) => ctx.measureText(text).width <= room);
    if (words) ctx.fillText(words, left + 4 * scale, high + tall / 2);
  }
  ctx.restore();
};

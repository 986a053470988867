// The sign-offs of a course in the plots: a strip below the staircase of grades, by sign and frame,
// never by colour alone, and the line at which the reader last looked.

export const STRIP = 22; // the height of the strip, in pixels of the page

export const signedPeriods = () => JSON.parse(document.querySelector("#sign-off")?.dataset.marks ?? "[]");

// The period of a sign-off, or of none, at an instant.
export const signedAt = (at) =>
  signedPeriods().find(({ from, to }) => from <= at && (to === null || at < to)) ?? null;

// When the reader last looked, in seconds; null before the first time and in the past.
export const lastLooked = () => {
  const seen = document.querySelector("#plots")?.dataset.seen;
  return seen ? Date.parse(seen) / 1000 : null;
};

const FRAMES = {
  new_look: { fill: "--warn-bg", stroke: "--warn-line", width: 2, dash: [] },
  not_signed: { fill: null, stroke: "--edge", width: 1, dash: [4, 3] },
  another_grade: { fill: "--sunken", stroke: "--ink", width: 1.5, dash: [] },
  fell: { fill: "--sunken", stroke: "--ink", width: 1.5, dash: [] },
  signed: { fill: null, stroke: "--edge", width: 1, dash: [] },
};

// Draws the strip into a plot; `css` reads a colour of the page, `x` gives the place of an instant.
export const drawSigned = (data, { css, ratio, x, box }) => (u) => {
  const { ctx } = u;
  const { left, top, width, height } = box(u);
  const scale = ratio();
  const high = top + height + 3 * scale;
  const tall = (STRIP - 5) * scale;
  ctx.save();
  ctx.font = `600 ${12 * scale}px system-ui, sans-serif`;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  for (const { from, to, key, mark, label } of signedPeriods()) {
    const begins = Math.max(left, x(u, from));
    const ends = Math.min(left + width, x(u, to ?? data.known_at));
    if (ends <= left || begins >= left + width) continue;
    const wide = Math.max(ends - begins - scale, 2 * scale);
    const frame = FRAMES[key];
    if (frame.fill) {
      ctx.fillStyle = css(frame.fill);
      ctx.fillRect(begins, high, wide, tall);
    }
    ctx.strokeStyle = css(frame.stroke);
    ctx.lineWidth = frame.width * scale;
    ctx.setLineDash(frame.dash.map((part) => part * scale));
    ctx.strokeRect(begins + scale / 2, high, wide, tall);
    ctx.fillStyle = css(key === "new_look" ? "--warn-ink" : "--ink");
    const room = wide - 8 * scale;
    const words = [`${mark} ${label}`, mark].find((text) => ctx.measureText(text).width <= room);
    if (words) ctx.fillText(words, begins + 4 * scale, high + tall / 2);
  }
  ctx.restore();
};

// The lane of the time axis: days above, hours below, the cursor's time in a box.

import { clipped, css, font, ratio, x } from "./canvas.js";
import { make } from "./lanes.js";

const DAY_PX = 46;
// Returns the days whose names have room: every day, every second one, or one a week.
const labelled = (days, pixels) => {
  const step = [1, 2, 7, 14, 28].find((one) => (pixels * one) / days.length >= DAY_PX) ?? 56;
  return days.filter(({ number }, place) => (number ?? place) % step === 0);
};

// `days`, `ticks` and `stampOf` are the words of the axis (axis.js).
export const timeLane = (data, state, host, { days, ticks, stampOf }) => {
  const draw = (u) =>
    clipped(u, (ctx) => {
      const { left, top, width, height } = u.bbox;
      const [low, high] = state.window;
      const pixels = width / ratio();
      ctx.textBaseline = "middle";
      ctx.textAlign = "left";
      const shown = labelled(days(low, high), pixels);
      shown.forEach(({ at, name, date }, place) => {
        const from = Math.max(x(u, at), left);
        const to = place + 1 < shown.length ? x(u, shown[place + 1].at) : left + width;
        ctx.strokeStyle = css("--edge");
        ctx.lineWidth = ratio();
        if (x(u, at) >= left) {
          ctx.beginPath();
          ctx.moveTo(Math.round(from) + 0.5, top);
          ctx.lineTo(Math.round(from) + 0.5, top + height);
          ctx.stroke();
        }
        let left_px = from + 4 * ratio();
        for (const [text, weight, colour] of [[name, 700, "--ink"], [date, 400, "--muted"]]) {
          ctx.font = font(weight);
          const wide = ctx.measureText(text).width;
          if (left_px + wide > to - 2 * ratio()) break;
          ctx.fillStyle = css(colour);
          ctx.fillText(text, left_px, top + 10 * ratio());
          left_px += wide + 4 * ratio();
        }
      });
      ctx.font = font();
      ctx.textAlign = "center";
      ctx.fillStyle = css("--muted");
      for (const { at, text } of ticks(low, high, pixels)) {
        const place = x(u, at);
        if (place < left + 8 * ratio() || place > left + width - 8 * ratio()) continue;
        ctx.fillText(text, place, top + 28 * ratio());
        ctx.fillRect(Math.round(place), top + height - 4 * ratio(), ratio(), 4 * ratio());
      }
      if (state.at === null || state.at < low || state.at > high) return;
      ctx.font = font(700);
      const text = stampOf(state.at);
      const wide = ctx.measureText(text).width + 10 * ratio();
      const middle = Math.min(Math.max(x(u, state.at), left + wide / 2), left + width - wide / 2);
      ctx.fillStyle = css("--accent");
      ctx.fillRect(middle - wide / 2, top + 19 * ratio(), wide, 18 * ratio());
      ctx.fillStyle = css("--on-accent");
      ctx.fillText(text, middle, top + 28.5 * ratio());
    });
  return make(data, state, host, { height: 42, draw: [draw], isBare: true });
};

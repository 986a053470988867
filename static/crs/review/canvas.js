// What the lanes of the review page draw with: colours of the theme, marks, and places on a canvas.

const known = new Map();

// A custom property of the styles; kept until the theme changes.
export const css = (name) => {
  if (!known.has(name)) {
    known.set(name, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
  }
  return known.get(name);
};
export const forgetColours = () => known.clear();
export const colourOf = (grade) => css(`--g${grade ?? 0}`);

export const ratio = () => window.devicePixelRatio || 1;
export const font = (weight = 400, size = 12) => `${weight} ${size * ratio()}px system-ui, sans-serif`;
export const x = (u, at) => u.valToPos(at, "x", true);
export const y = (u, value) => u.valToPos(value, "y", true);

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

// Returns the part of [from, to] inside the plot as left and width, in pixels of the canvas; null where there is none.
export const inside = (u, from, to, least = 0) => {
  const { left, width } = u.bbox;
  const begins = Math.max(left, x(u, from));
  const ends = Math.min(left + width, x(u, to));
  if (ends < left || begins > left + width || ends < begins) return null;
  return { left: begins, width: Math.max(ends - begins, least * ratio()) };
};

export const band = (u, from, to, colour) => {
  const part = inside(u, from, to);
  if (!part) return;
  u.ctx.fillStyle = colour;
  u.ctx.fillRect(part.left, u.bbox.top, part.width, u.bbox.height);
};

export const upright = (u, at, colour, dash, width = 1) => {
  const { left, top, width: wide, height } = u.bbox;
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

export const level = (u, from, to, value, colour, dash) => {
  const part = inside(u, from, to);
  if (!part) return;
  const { ctx } = u;
  const high = Math.round(y(u, value)) + 0.5;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = ratio();
  ctx.setLineDash(dash.map((one) => one * ratio()));
  ctx.beginPath();
  ctx.moveTo(part.left, high);
  ctx.lineTo(part.left + part.width, high);
  ctx.stroke();
  ctx.restore();
};

export const clipped = (u, draw) => {
  const { left, top, width, height } = u.bbox;
  u.ctx.save();
  u.ctx.beginPath();
  u.ctx.rect(left, top, width, height);
  u.ctx.clip();
  draw(u.ctx);
  u.ctx.restore();
};

export const hatch = (ctx, left, top, width, height, colour) => {
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.5 * ratio();
  ctx.beginPath();
  for (let at = left - height; at < left + width; at += 5 * ratio()) {
    ctx.moveTo(at, top + height);
    ctx.lineTo(at + height, top);
  }
  ctx.stroke();
  ctx.setLineDash([3 * ratio(), 2 * ratio()]);
  ctx.strokeRect(left, top, width, height);
  ctx.restore();
};

// Writes a word above a value, or below it where there is no room, on a background of its own.
export const word = (u, text, at, high) => {
  const { ctx } = u;
  const { left, top, width } = u.bbox;
  ctx.save();
  ctx.font = font(700, 12);
  const wide = ctx.measureText(text).width;
  const middle = Math.min(Math.max(x(u, at), left + wide / 2), left + width - wide / 2);
  const hasRoom = high - 20 * ratio() > top;
  const above = high + (hasRoom ? -13 : 14) * ratio();
  ctx.fillStyle = css("--warn-bg");
  ctx.fillRect(middle - wide / 2 - 2 * ratio(), above - 7 * ratio(), wide + 4 * ratio(), 14 * ratio());
  ctx.fillStyle = css("--warn-ink");
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(text, middle, above);
  ctx.restore();
  return middle + wide / 2;
};

// Exact arithmetic on typed decimals: a number is {units, places}, an integer and how many of its
// digits follow the decimal point.

export const parse = (text) => {
  const found = /^\s*(\d*)\.?(\d*)\s*$/.exec(text ?? "");
  if (!found || !(found[1] + found[2])) return null;
  return { units: BigInt(found[1] + found[2]), places: found[2].length };
};

export const times = (a, b) => ({ units: a.units * b.units, places: a.places + b.places });

export const over = (a, divisor) => {
  // Six more places; `cut` is true where a remainder is left.
  const scaled = a.units * 1_000_000n;
  return { units: scaled / divisor, places: a.places + 6, cut: scaled % divisor !== 0n };
};

export const shown = ({ units, places, cut = false }, most = 4) => {
  const digits = units.toString().padStart(places + 1, "0");
  const whole = digits.slice(0, digits.length - places);
  const all = places ? digits.slice(-places).replace(/0+$/, "") : "";
  const part = all.slice(0, most).replace(/0+$/, "");
  const rounded = cut || part.length < all.length;
  return `${rounded ? "≈" : ""}${whole}${part ? `.${part}` : ""}`;
};

// Draws the history of one course: lanes under one time axis, one cursor through all of them.

import { criteria, given, placeBefore, plot, ribbon, row, show, timeLane } from "./lanes.js";
import { signedAt } from "./signed_marks.js";

const host = document.querySelector("#plots");
const DAY = 86400;
const REST_MS = 250;
const TOGETHER = { map_mmhg: "systolic_mmhg" };

const zone = document.body.dataset.zone;
const format = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options });
const dayFormat = format({ day: "numeric", month: "short" });
const clockFormat = format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dateOf = (at) => new Date(at * 1000);
const clock = (at) => clockFormat.format(dateOf(at));
const stamp = (at) => `${dayFormat.format(dateOf(at))} ${clock(at)}`;

const STEPS = [900, 1800, 3600, 7200, 10800, 21600, 43200, DAY, 2 * DAY, 7 * DAY, 28 * DAY];

// Splits of the time axis: whole hours at the site, or whole units after an event.
const labels = (data) => {
  const axis = host.dataset.axis;
  const origin =
    axis === "infusion"
      ? data.infused_at
      : axis === "tocilizumab" && data.first_tocilizumab_at !== null
        ? data.first_tocilizumab_at
        : null;
  const offset = () => {
    const [hour, minute] = clock(data.begins).split(":").map(Number);
    return data.begins - hour * 3600 - minute * 60 - (data.begins % 60);
  };
  const zero = origin ?? offset();
  return {
    splits: (u, axisIndex, low, high, increment, space) => {
      const wide = u.bbox.width / (window.devicePixelRatio || 1);
      const least = ((high - low) * 62) / Math.max(wide, 1);
      const step = STEPS.find((one) => one >= least) ?? STEPS.at(-1);
      const found = [];
      for (let at = zero + Math.ceil((low - zero) / step) * step; at <= high; at += step) found.push(at);
      return found;
    },
    values: (u, splits) =>
      splits.map((at) => {
        if (origin === null) return clock(at) === "00:00" ? dayFormat.format(dateOf(at)) : clock(at);
        const hours = Math.round((at - origin) / 360) / 10;
        return axis === "infusion" ? `day ${Math.round((hours / 24) * 10) / 10}` : `${hours} h`;
      }),
  };
};

const changesOf = (data) =>
  data.periods
    .filter((period, place) => place && data.periods[place - 1].grade !== period.grade)
    .map((period) => period.from);

const build = (data) => {
  const plots = [];
  const lanes = [];
  const update = [];
  const state = {
    window: data.window,
    at: host.dataset.at ? Date.parse(host.dataset.at) / 1000 : null,
    hover: () => {},
    zoom: () => {},
  };
  const add = (name, unit, make, read, className) => {
    const lane = row(name, unit);
    if (className) lane.value.classList.add(className);
    host.append(lane.lane);
    plots.push(make(lane.plot));
    lanes.push(lane);
    if (read) update.push((at) => read(lane, at));
    return lane;
  };

  host.replaceChildren();
  add("Time", "", (place) => timeLane(data, state, place, labels(data)), (lane, at) =>
    show(lane, stamp(at), ""),
  );
  const starts = data.periods.map((period) => period.from);
  add(
    "CRS grade",
    "Lee 2014",
    (place) => ribbon(data, state, place),
    (lane, at) => {
      const period = data.periods[placeBefore(starts, at)];
      const ended = period && period.to !== null && period.to <= at;
      if (!period || ended) return show(lane, "–", "not graded", null);
      const bound = period.at_most > period.grade ? `could be ${period.at_most}` : "";
      const signed = signedAt(at);
      show(lane, period.grade, [bound, signed && `${signed.mark} ${signed.label}`].filter(Boolean).join(" · "), period.grade);
    },
    "big",
  );
  if (data.given.length) {
    const times = data.given.map((item) => item.at);
    add(
      "Given",
      "▼ bolus ○ fever drug ◆ judged",
      (place) => given(data, state, place),
      (lane, at) => {
        const item = data.given[placeBefore(times, at)];
        show(lane, item ? item.text : "–", item ? stamp(item.at) : "");
      },
    );
  }
  if (data.lanes.length) addCriteria(data, state, plots, update);
  const byKey = Object.fromEntries(data.series.map((one) => [one.key, one]));
  for (const one of data.series) {
    if (TOGETHER[one.key] && byKey[TOGETHER[one.key]]) continue;
    const partner = data.series.find((other) => TOGETHER[other.key] === one.key);
    const all = partner ? [one, partner] : [one];
    add(
      partner ? "Blood pressure" : one.label,
      partner ? `${one.unit}, systolic and mean` : one.unit,
      (place) => plot(data, state, place, all),
      (lane, at) => {
        const read = all.map((each) => {
          const place = placeBefore(each.at, at);
          return place < 0 ? null : { text: each.text[place], at: each.at[place], marks: each.marks[place] ?? [] };
        });
        if (!read[0]) return show(lane, "–", "");
        const mean = read[1] ? ` MAP ${read[1].text}` : "";
        show(lane, `${read[0].text}${mean}`, [stamp(read[0].at), ...read[0].marks].join(", "));
      },
    );
  }
  return { data, plots, state, update };
};

const addCriteria = (data, state, plots, update) => {
  const lane = row("", "");
  const list = (items) => {
    const made = document.createElement("ul");
    made.className = "rows";
    made.append(...items);
    return made;
  };
  const line = (text, grade) => {
    const made = document.createElement("li");
    if (grade !== undefined) {
      const sign = document.createElement("span");
      sign.className = "sign";
      sign.textContent = grade;
      made.dataset.grade = grade;
      made.append(sign);
    }
    made.append(text);
    return made;
  };
  lane.label.replaceChildren(list(data.lanes.map((one) => line(one.name, one.grade))));
  lane.label.classList.add("rows");
  const values = data.lanes.map(() => line("–"));
  lane.value.replaceChildren(list(values));
  lane.value.classList.add("rows");
  host.append(lane.lane);
  plots.push(criteria(data, state, lane.plot));
  update.push((at) => {
    data.lanes.forEach((one, place) => {
      const span = one.spans.find(([from, to]) => from <= at && (to === null || at < to));
      const text = span ? `since ${stamp(span[0])}` : "–";
      if (values[place].textContent !== text) values[place].textContent = text;
    });
  });
};

const steer = ({ data, plots, state, update }) => {
  let waiting = 0;
  let rest;
  const read = (at) => update.forEach((one) => one(at));
  const resting = () => state.at ?? data.known_at;
  state.hover = (at) => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => read(at ?? resting()));
  };
  const redraw = () => plots.forEach((one) => one.redraw(false, true));
  const setWindow = (from, to) => {
    const least = 1800;
    const middle = (from + to) / 2;
    state.window = to - from < least ? [middle - least / 2, middle + least / 2] : [from, to];
    plots.forEach((one) => one.setScale("x", { min: state.window[0], max: state.window[1] }));
  };
  state.zoom = setWindow;
  const setCursor = (at) => {
    state.at = Math.min(Math.max(at, data.begins), data.known_at);
    read(state.at);
    redraw();
    const address = new URL(location.href);
    address.searchParams.set("at", new Date(state.at * 1000).toISOString().replace("Z", "+00:00"));
    history.replaceState(null, "", address);
    clearTimeout(rest);
    rest = setTimeout(() => {
      const query = address.searchParams.toString();
      window.htmx.ajax("GET", `${host.dataset.cursor}?${query}`, { target: "#at-cursor", swap: "outerHTML" });
    }, REST_MS);
  };

  for (const one of plots) {
    let pressed = null;
    one.over.addEventListener("pointerdown", (event) => { pressed = event.clientX; });
    one.over.addEventListener("click", (event) => {
      if (pressed === null || Math.abs(event.clientX - pressed) > 4) return;
      setCursor(one.posToVal(event.clientX - one.over.getBoundingClientRect().left, "x"));
    });
    one.over.addEventListener("dblclick", () => setWindow(data.begins, data.known_at));
  }
  pinch(host, plots[0], state, setWindow);

  const resize = () => {
    for (const one of plots) {
      const width = one.root.parentElement.clientWidth;
      if (width !== one.width) one.setSize({ width, height: one.height });
    }
  };
  new ResizeObserver(resize).observe(host);
  resize();
  document.body.addEventListener("crs:signed", () => {
    redraw();
    read(resting());
  });
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });

  const times = [...new Set(data.series.flatMap((one) => one.at).concat(data.periods.map((p) => p.from)))].sort(
    (a, b) => a - b,
  );
  const changes = changesOf(data);
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, textarea") || event.ctrlKey || event.altKey || event.metaKey) return;
    const among = event.shiftKey ? changes : times;
    const now = resting();
    if (event.key === "ArrowLeft") {
      const earlier = among[placeBefore(among, now - 1e-3)];
      if (earlier !== undefined) setCursor(earlier);
    } else if (event.key === "ArrowRight") {
      const later = among[placeBefore(among, now) + 1];
      if (later !== undefined) setCursor(later);
    } else if (event.key === "[" || event.key === "]") {
      const ranges = [...document.querySelectorAll("[data-range]")];
      const place = ranges.findIndex((one) => one.hasAttribute("aria-current"));
      ranges[place + (event.key === "]" ? 1 : -1)]?.click();
    } else return;
    event.preventDefault();
  });
  for (const link of document.querySelectorAll("[data-range]")) {
    link.addEventListener("click", (event) => {
      const hours = { "24h": 24, "72h": 72 }[link.dataset.range];
      setWindow(hours ? data.known_at - hours * 3600 : data.begins, data.known_at);
      for (const other of document.querySelectorAll("[data-range]")) other.removeAttribute("aria-current");
      link.setAttribute("aria-current", "true");
      const address = new URL(location.href);
      address.searchParams.set("range", link.dataset.range);
      history.replaceState(null, "", address);
      event.preventDefault();
    });
  }
  read(resting());
};

// Two fingers zoom, one finger scrolls the page.
const pinch = (place, first, state, setWindow) => {
  const fingers = new Map();
  let start = null;
  place.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch") return;
    fingers.set(event.pointerId, event.clientX);
    if (fingers.size === 2) start = { apart: apart(), window: [...state.window] };
  });
  const apart = () => {
    const [a, b] = [...fingers.values()];
    return Math.max(20, Math.abs(a - b));
  };
  place.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, event.clientX);
    if (!start || fingers.size !== 2) return;
    const [from, to] = start.window;
    const left = first.over.getBoundingClientRect().left;
    const [a, b] = [...fingers.values()];
    const share = ((a + b) / 2 - left) / first.over.clientWidth;
    const fixed = from + (to - from) * share;
    const span = ((to - from) * start.apart) / apart();
    setWindow(fixed - span * share, fixed + span * (1 - share));
  });
  const lift = (event) => {
    fingers.delete(event.pointerId);
    start = null;
  };
  for (const name of ["pointerup", "pointercancel", "pointerleave"]) place.addEventListener(name, lift);
};

const shortcuts = (event) => {
  if (event.target.closest("input, select, textarea") || event.ctrlKey || event.altKey || event.metaKey) return;
  const key = event.key.toLowerCase();
  if (key === "t") document.querySelector("[data-view]:not([aria-current])")?.click();
  if (key === "k") {
    const tool = document.querySelector("[data-key=k]");
    tool.open = !tool.open;
    if (tool.open) tool.querySelector("input:not([type=hidden]):not([hidden])")?.focus();
  }
  if (key === "n") document.querySelector("[data-key=n]")?.click();
};
document.addEventListener("keydown", shortcuts);

if (host) {
  fetch(host.dataset.series, { headers: { Accept: "application/json" } })
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)))))
    .then((data) => steer(build(data)))
    .catch(() => {
      const line = document.createElement("p");
      line.className = "wrong";
      line.textContent = "The values could not be loaded. Reload the page, or use the table.";
      host.replaceChildren(line);
    });
}

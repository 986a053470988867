// Draws the history of one course: lanes under one time axis, one cursor through all of them.

import { axisOf, clock, dateOf, dayOf, near, stamp } from "./axis.js";
import { forgetColours, placeBefore } from "./canvas.js";
import { watchKeys } from "./keys.js";
import { criteria, devices, given, ribbon, row, show, timeLane } from "./lanes.js";
import { watchAge } from "./page_age.js";
import { keyOf } from "./plot_key.js";
import { plot, pointsOf } from "./plots.js";
import { failed, fetchSeries, keepFailure, sayLoading } from "./loading.js";
import { addScaleBands } from "./scale_bands.js";
import { signedAt } from "./signed_marks.js";

const host = document.querySelector("#plots");
const REST_MS = 250;
const AHEAD = 0.06;
const TOGETHER = { map_mmhg: "systolic_mmhg" };

const zone = document.body.dataset.zone;

const changesOf = (data) =>
  data.periods
    .filter((period, place) => place && data.periods[place - 1].grade !== period.grade)
    .map((period) => period.from);

// What a series shows at an instant: a line its last value, a step what holds.
const readAt = (one, at) => {
  const place = placeBefore(one.at, at);
  if (place < 0) return null;
  const marks = (one.marks[place] ?? []).filter((mark) => mark !== "derived");
  return { text: one.text[place], suffix: one.suffix[place] ?? "", at: one.at[place], marks };
};

const limitWords = (one, words) => {
  const limit = one.limits.findLast(([, value]) => value !== null)?.[1];
  return limit === undefined ? "" : ` · ${words} ${Math.round(limit * 10) / 10}`;
};
const LIMITS = { temperature_c: "fever from", fio2_percent: "grade 3 from" };
const unitOf = (all) => {
  const [one, mean] = all;
  if (mean) {
    const floors = [one, mean].map(({ limits }) => limits.at(-1)?.[1]).filter((value) => value);
    return `systolic, MAP${floors.length ? ` · floors ${floors.join(", ")}` : ""}`;
  }
  const words = LIMITS[one.key] ?? (one.step ? "Table 3 from" : "");
  return `${one.unit}${one.log ? ", log" : ""}${words ? limitWords(one, words) : ""}`;
};

class Page {
  constructor(data) {
    this.data = data;
    this.isEmpty = !data.series.length && data.periods.every(({ grade }) => grade === 0);
    if (this.isEmpty) data.periods = []; // nothing was charted: that is no grade 0
    this.plots = [];
    this.lanes = [];
    this.update = [];
    this.refresh = [];
    this.state = {
      window: this.withAhead(data.window),
      at: host.dataset.at ? Date.parse(host.dataset.at) / 1000 : null,
      hover: () => {},
      zoom: () => {},
    };
  }

  // Returns the window; as known at an earlier time, with a margin for what was not known then.
  withAhead([from, to]) {
    const { is_then: isThen, known_at: until } = this.data;
    return isThen && to >= until ? [from, until + (until - from) * AHEAD] : [from, to];
  }

  // Adds a lane; one that cannot be drawn says so, and the others stay.
  add(name, unit, { rows = [], className, make, read }) {
    const lane = row(name, unit);
    if (rows.length) {
      lane.lane.id = rows[0];
      lane.lane.dataset.rows = rows.join(" ");
    }
    if (className) lane.value.classList.add(className);
    host.append(lane.lane);
    try {
      const made = make(lane.plot);
      this.plots.push(made);
      this.lanes.push({ ...lane, plot: made, least: made.height });
      if (read) this.update.push((at) => read(lane, at));
    } catch (error) {
      console.warn(error);
      failed(lane, name, load);
    }
    return lane;
  }

  build() {
    const { data, state } = this;
    host.replaceChildren();
    this.add("Time", "", {
      className: "time",
      make: (place) =>
        timeLane(data, state, place, { ...axisOf(data, host.dataset.axis), stampOf: clock }),
      read: (lane, at) => show(lane, stamp(at), ""),
    }).lane.classList.add("time-lane");
    this.addGrade();
    this.loadScales = addScaleBands(this, host.dataset.scales, load);
    if (data.given.length) this.addGiven();
    this.addCriteria();
    this.addValues();
    if (this.isEmpty) {
      const line = document.createElement("p");
      line.className = "hint";
      line.textContent = "No vital signs charted yet. Grade: not assessed.";
      host.append(line);
    }
    host.append(keyOf(data));
  }

  addGrade() {
    const { data, state } = this;
    const starts = data.periods.map((period) => period.from);
    this.add("CRS grade", "Lee 2014", {
      rows: ["grade", "at_most", "bound"],
      className: "big",
      make: (place) => ribbon(data, state, place),
      read: (lane, at) => {
        const place = placeBefore(starts, at);
        const period = data.periods[place];
        const ended = period && period.to !== null && period.to <= at;
        const isKnown = period && (period.grade || (data.assessed_since !== null && data.assessed_since <= at));
        if (!period || ended || !isKnown) {
          const isOpen = this.isEmpty || (period && !ended);
          return show(lane, "–", isOpen ? "not assessed" : "not graded", null);
        }
        let first = place;
        while (first && data.periods[first - 1].grade === period.grade) first -= 1;
        const bound = period.at_most > period.grade ? `could be ${period.at_most}, ` : "";
        const since = `${bound}since ${near(data.periods[first].from, at)}`;
        const signed = signedAt(at);
        const words = signed ? `${since} · ${signed.mark} ${signed.label}` : since;
        show(lane, period.grade, words, period.grade);
      },
    });
  }

  addGiven() {
    const { data, state } = this;
    const times = data.given.map((item) => item.at);
    this.add("Given", "▼ bolus ○ fever drug ◆ judged", {
      className: "words",
      rows: ["given"],
      make: (place) => given(data, state, place),
      read: (lane, at) => {
        const item = data.given[placeBefore(times, at)];
        show(lane, item ? item.text : "–", item ? near(item.at, at) : "");
      },
    });
  }

  addCriteria() {
    const { data, state, update } = this;
    const list = (items) => {
      const made = document.createElement("ul");
      made.className = "rows";
      made.append(...items);
      return made;
    };
    const line = (text, grade, code) => {
      const made = document.createElement("li");
      if (grade !== undefined) {
        made.id = code;
        made.dataset.rows = code;
        made.dataset.grade = grade;
      }
      made.append(text);
      return made;
    };
    const lane = this.add("", "", { make: (place) => criteria(data, state, place) });
    lane.label.replaceChildren(list(data.lanes.map((one) => line(one.name, one.grade, one.code))));
    lane.label.classList.add("rows");
    const values = data.lanes.map(() => line("–"));
    lane.value.replaceChildren(list(values));
    lane.value.classList.add("rows");
    update.push((at) => {
      data.lanes.forEach((one, place) => {
        const span = one.spans.findLast(([from, to]) => from <= at && (to === null || at < to));
        const since = span && (dayOf(span[0]) === dayOf(at) ? clock(span[0]) : dayOf(span[0]));
        const text = span ? `since ${since}` : "–";
        values[place].classList.toggle("met", Boolean(span));
        if (values[place].textContent !== text) values[place].textContent = text;
      });
    });
  }

  addValues() {
    const { data, state } = this;
    const byKey = Object.fromEntries(data.series.map((one) => [one.key, one]));
    for (const one of data.series) {
      if (TOGETHER[one.key] && byKey[TOGETHER[one.key]]) continue;
      if (one.key === "fio2_percent" && data.devices.length) this.addDevices();
      const partner = data.series.find((other) => TOGETHER[other.key] === one.key);
      const all = partner ? [one, partner] : [one];
      this.add(partner ? "Blood pressure" : one.label, unitOf(all), {
        rows: all.flatMap(({ rows }) => rows),
        make: (place) => {
          const made = plot(data, state, place, all);
          this.refresh.push(() => made.setData(pointsOf(all), false));
          return made;
        },
        read: (lane, at) => {
          const [first, mean] = all.map((each) => readAt(each, at));
          if (!first) return show(lane, "–", "");
          const unit = partner || first.text === "–" ? "" : one.unit;
          const also = mean ? `MAP ${mean.text}` : unit;
          const words = [near(first.at, at), ...first.marks].join(", ");
          show(lane, first.text === "–" ? "not known" : `${first.text}${first.suffix}`, `${also} ${words}`);
        },
      });
    }
  }

  addDevices() {
    const { data, state } = this;
    const times = data.devices.map(({ at }) => at);
    this.add("Oxygen device", "", {
      className: "three-lines",
      rows: ["device", "flow_l_per_min"],
      make: (place) => devices(data, state, place),
      read: (lane, at) => {
        const found = data.devices[placeBefore(times, at)];
        const detail = found ? [found.detail, near(found.at, at)].filter(Boolean).join(", ") : "";
        show(lane, found ? found.label : "–", detail);
      },
    });
  }
}

// A row of the flowsheet leads to its lane: #<key of the row>. Findings and treatments have marks.
const LANES_OF = [
  [/^(treatment|judgement)\.|^(fluid_bolus|treatment|judgement)$/, "given"],
  [/^toxicity\./, "organ_toxicity"],
  [/^symptom\./, "symptom"],
];
const laneOf = (key) => {
  const all = [...host.querySelectorAll("[data-rows]")];
  const kind = LANES_OF.find(([pattern]) => pattern.test(key))?.[1];
  return (
    all.find((one) => one.dataset.rows.split(" ").includes(key)) ??
    (kind && all.find((one) => one.dataset.rows.split(/[ .]/)[0] === kind))
  );
};
const asked = () => decodeURIComponent(location.hash.slice(1));

const jump = () => {
  for (const one of host.querySelectorAll(".is-asked")) one.classList.remove("is-asked");
  const key = asked();
  if (!key) return;
  const lane = laneOf(key);
  const note = document.getElementById("no-lane");
  note.hidden = Boolean(lane) || document.getElementById(key) !== null;
  if (!lane) return;
  lane.classList.add("is-asked");
  lane.tabIndex = -1;
  lane.focus({ preventScroll: true });
  lane.scrollIntoView({ block: "center" });
};

let lettingGo = () => {};

// The height of the words of a name, which a lane has at least: so that no value makes it higher.
const heightOf = (label) => {
  const words = document.createRange();
  words.selectNodeContents(label);
  return Math.ceil(words.getBoundingClientRect().height) + 8;
};

const steer = (page) => {
  const { data, plots, state, update } = page;
  const ends = new AbortController();
  lettingGo();
  let waiting = 0;
  let rest;
  const read = (at) => update.forEach((one) => one(at));
  const resting = () => state.at ?? data.known_at;
  state.hover = (at) => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => read(at ?? resting()));
  };
  const redraw = () => plots.forEach((one) => one.redraw(false, true));
  page.redraw = () => {
    redraw();
    read(resting());
  };
  const loadWindow = async () => {
    const [from, to] = state.window;
    const more = await fetchSeries(host, asked(), [
      Math.max(from, data.begins), Math.min(to, data.known_at),
    ]).catch(() => null);
    if (!more) return;
    const found = Object.fromEntries(more.series.map((one) => [one.key, one]));
    for (const one of data.series) Object.assign(one, found[one.key]);
    page.refresh.forEach((again) => again());
    redraw();
  };
  let sparse;
  const setWindow = (from, to) => {
    const least = 1800;
    const middle = (from + to) / 2;
    state.window = to - from < least ? [middle - least / 2, middle + least / 2] : [from, to];
    plots.forEach((one) => one.setScale("x", { min: state.window[0], max: state.window[1] }));
    if (data.is_whole) return;
    clearTimeout(sparse);
    sparse = setTimeout(loadWindow, REST_MS);
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
    const bar = document.querySelector(".review-bar");
    if (bar) host.style.setProperty("--bar-height", `${bar.offsetHeight}px`);
    for (const { plot: one, label, least } of page.lanes) {
      const box = one.root.parentElement;
      if (!box) continue; // its lane is no longer on the page
      const words = label.firstElementChild?.matches("ul") ? 0 : heightOf(label);
      const height = Math.max(least, words);
      const width = box.clientWidth;
      if (width !== one.width || height !== one.height) one.setSize({ width, height });
    }
  };
  const sizes = new ResizeObserver(resize);
  sizes.observe(host);
  resize();
  for (const [name, isPrinting] of [["beforeprint", true], ["afterprint", false]]) {
    addEventListener(name, () => {
      document.body.classList.toggle("is-printing", isPrinting);
      resize();
    }, { signal: ends.signal });
  }
  const themes = new MutationObserver(() => {
    forgetColours();
    redraw();
  });
  themes.observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  const signed = () => {
    redraw();
    read(resting());
  };
  document.body.addEventListener("crs:signed", signed, { signal: ends.signal });
  lettingGo = () => {
    ends.abort();
    sizes.disconnect();
    themes.disconnect();
    plots.forEach((one) => one.destroy());
  };

  const times = [...new Set(data.series.flatMap((one) => one.at).concat(data.periods.map((p) => p.from)))].sort(
    (a, b) => a - b,
  );
  const changes = changesOf(data);
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, textarea, dialog") || event.ctrlKey || event.altKey || event.metaKey) return;
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
  }, { signal: ends.signal });
  // The last hours, or those round the cursor, so that it is always in sight.
  const windowOf = (range) => {
    const span = 3600 * ({ "24h": 24, "72h": 72 }[range] ?? 0);
    if (!span) return page.withAhead([data.begins, data.known_at]);
    const isEarlier = state.at !== null && state.at < data.known_at - span;
    const ends = isEarlier ? state.at + span / 2 : data.known_at;
    return page.withAhead([ends - span, ends]);
  };
  for (const link of document.querySelectorAll("[data-range]")) {
    link.addEventListener("click", (event) => {
      setWindow(...windowOf(link.dataset.range));
      for (const other of document.querySelectorAll("[data-range]")) other.removeAttribute("aria-current");
      link.setAttribute("aria-current", "true");
      const address = new URL(location.href);
      address.searchParams.set("range", link.dataset.range);
      history.replaceState(null, "", address);
      event.preventDefault();
    }, { signal: ends.signal });
  }
  read(resting());
  jump();
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

async function load() {
  const loaded = sayLoading(host);
  try {
    const data = await fetchSeries(host, asked());
    data.is_then = host.dataset.then !== undefined;
    data.seen_at = host.dataset.seen ? Date.parse(host.dataset.seen) / 1000 : null;
    const page = new Page(data);
    page.build();
    steer(page);
    page.loadScales().then(page.redraw);
  } catch (error) {
    console.warn(error);
    keepFailure(host, load);
  } finally {
    loaded();
  }
}

watchKeys();
watchAge();
if (host) {
  addEventListener("hashchange", () => (laneOf(asked()) ? jump() : load()));
  load();
}

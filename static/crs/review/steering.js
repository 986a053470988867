// Steers the drawn lanes: one cursor and one window of time, by pointer, fingers, keys and the links of ranges.

import { isoText } from "./axis.js";
import { forgetColours, placeBefore } from "./canvas.js";
import { goToLinkedLane, linkedKey } from "./lane_link.js";
import { fetchSeries } from "./loading.js";
import { watchPinch } from "./pinch.js";

const REST_MS = 250; // after which a cursor or window that rests is asked for
const LEAST_WINDOW = 1800; // in seconds, as all times here
const CLICK_PX = 4; // a pointer that moved further has drawn a range
const HOURS = { "24h": 24, "72h": 72 };
const LABEL_MARGIN_PX = 8;

// The height of the words of a name, which a lane has at least: so that no value makes it higher.
const heightOf = (label) => {
  const words = document.createRange();
  words.selectNodeContents(label);
  return Math.ceil(words.getBoundingClientRect().height) + LABEL_MARGIN_PX;
};

const setParameter = (name, value) => {
  const address = new URL(location.href);
  address.searchParams.set(name, value);
  history.replaceState(null, "", address);
  return address;
};

class Steering {
  constructor(page) {
    this.page = page;
    this.frame = 0;
    this.timers = {};
    page.state.hover = (at) => {
      cancelAnimationFrame(this.frame);
      this.frame = requestAnimationFrame(() => this.read(at ?? this.restingAt));
    };
    page.state.zoom = (from, to) => this.setWindow(from, to);
  }

  // Where the cursor stands while no pointer is over the plots.
  get restingAt() {
    return this.page.state.at ?? this.page.data.known_at;
  }

  read(at) {
    for (const reader of this.page.readers) reader(at);
  }

  redraw() {
    for (const plot of this.page.plots) plot.redraw(false, true);
  }

  redrawAndRead() {
    this.redraw();
    this.read(this.restingAt);
  }

  afterRest(name, act) {
    clearTimeout(this.timers[name]);
    this.timers[name] = setTimeout(act, REST_MS);
  }

  setWindow(from, to) {
    const { data, plots, state } = this.page;
    const middle = (from + to) / 2;
    state.window =
      to - from < LEAST_WINDOW ? [middle - LEAST_WINDOW / 2, middle + LEAST_WINDOW / 2] : [from, to];
    for (const plot of plots) plot.setScale("x", { min: state.window[0], max: state.window[1] });
    if (!data.is_whole) this.afterRest("window", () => this.loadWindow());
  }

  // Asks for the points of the window, of which the whole course shows only some.
  async loadWindow() {
    const { data, host, refreshers, state } = this.page;
    const [from, to] = state.window;
    const span = [Math.max(from, data.begins), Math.min(to, data.known_at)];
    const more = await fetchSeries(host, linkedKey(), span).catch(() => null);
    if (!more) return;
    const found = Object.fromEntries(more.series.map((one) => [one.key, one]));
    for (const one of data.series) Object.assign(one, found[one.key]);
    for (const refresh of refreshers) refresh();
    this.redraw();
  }

  setCursor(at) {
    const { data, host, state } = this.page;
    state.at = Math.min(Math.max(at, data.begins), data.known_at);
    this.redrawAndRead();
    const address = setParameter("at", isoText(state.at));
    this.afterRest("cursor", () => {
      const panel = `${host.dataset.cursor}?${address.searchParams}`;
      window.htmx.ajax("GET", panel, { target: "#at-cursor", swap: "outerHTML" });
    });
  }

  // Returns the last hours of a range, or those round an earlier cursor, so that it is always in sight.
  windowOf(range) {
    const { data, state } = this.page;
    const span = 3600 * (HOURS[range] ?? 0);
    if (!span) return this.page.withAhead([data.begins, data.known_at]);
    const isEarlier = state.at !== null && state.at < data.known_at - span;
    const end = isEarlier ? state.at + span / 2 : data.known_at;
    return this.page.withAhead([end - span, end]);
  }

  fitSizes() {
    const { host, lanes } = this.page;
    const bar = document.querySelector(".review-bar");
    if (bar) host.style.setProperty("--bar-height", `${bar.offsetHeight}px`);
    for (const { plot, label, least } of lanes) {
      const box = plot.root.parentElement;
      if (!box) continue; // its lane is no longer on the page
      const words = label.firstElementChild?.matches("ul") ? 0 : heightOf(label);
      const height = Math.max(least, words);
      const width = box.clientWidth;
      if (width !== plot.width || height !== plot.height) plot.setSize({ width, height });
    }
  }
}

const watchPointer = (steering) => {
  const { data, plots } = steering.page;
  for (const plot of plots) {
    let pressed = null;
    plot.over.addEventListener("pointerdown", (event) => {
      pressed = event.clientX;
    });
    plot.over.addEventListener("click", (event) => {
      if (pressed === null || Math.abs(event.clientX - pressed) > CLICK_PX) return;
      steering.setCursor(plot.posToVal(event.clientX - plot.over.getBoundingClientRect().left, "x"));
    });
    plot.over.addEventListener("dblclick", () => steering.setWindow(data.begins, data.known_at));
  }
};

const watchSizes = (steering, signal) => {
  const sizes = new ResizeObserver(() => steering.fitSizes());
  sizes.observe(steering.page.host);
  steering.fitSizes();
  for (const [name, isPrinting] of [["beforeprint", true], ["afterprint", false]]) {
    const onPrint = () => {
      document.body.classList.toggle("is-printing", isPrinting);
      steering.fitSizes();
    };
    addEventListener(name, onPrint, { signal });
  }
  signal.addEventListener("abort", () => sizes.disconnect());
};

const watchTheme = (steering, signal) => {
  const themes = new MutationObserver(() => {
    forgetColours();
    steering.redraw();
  });
  themes.observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  signal.addEventListener("abort", () => themes.disconnect());
};

// The arrows go to the instant before or after, with Shift to the change of grade; brackets change the range.
const watchArrows = (steering, signal) => {
  const { periods, series } = steering.page.data;
  const instants = new Set(series.flatMap(({ at }) => at).concat(periods.map(({ from }) => from)));
  const times = [...instants].sort((a, b) => a - b);
  const changes = periods
    .filter(({ grade }, place) => place && periods[place - 1].grade !== grade)
    .map(({ from }) => from);
  const onKey = (event) => {
    if (event.target.closest("input, select, textarea, dialog") || event.ctrlKey || event.altKey || event.metaKey) return;
    const among = event.shiftKey ? changes : times;
    const now = steering.restingAt;
    if (event.key === "ArrowLeft") {
      const earlier = among[placeBefore(among, now - 1e-3)];
      if (earlier !== undefined) steering.setCursor(earlier);
    } else if (event.key === "ArrowRight") {
      const later = among[placeBefore(among, now) + 1];
      if (later !== undefined) steering.setCursor(later);
    } else if (event.key === "[" || event.key === "]") {
      const ranges = [...document.querySelectorAll("[data-range]")];
      const place = ranges.findIndex((one) => one.hasAttribute("aria-current"));
      ranges[place + (event.key === "]" ? 1 : -1)]?.click();
    } else return;
    event.preventDefault();
  };
  document.addEventListener("keydown", onKey, { signal });
};

const watchRanges = (steering, signal) => {
  const links = document.querySelectorAll("[data-range]");
  for (const link of links) {
    const onClick = (event) => {
      steering.setWindow(...steering.windowOf(link.dataset.range));
      for (const other of links) other.removeAttribute("aria-current");
      link.setAttribute("aria-current", "true");
      setParameter("range", link.dataset.range);
      event.preventDefault();
    };
    link.addEventListener("click", onClick, { signal });
  }
};

let stopSteering = () => {};

// Steers `page` in place of the one that was drawn before; returns what draws it again.
export const steer = (page) => {
  stopSteering();
  const ends = new AbortController();
  const { signal } = ends;
  const steering = new Steering(page);
  const redraw = () => steering.redrawAndRead();
  watchPointer(steering);
  watchPinch(page.host, page.plots[0], page.state, page.state.zoom, signal);
  watchSizes(steering, signal);
  watchTheme(steering, signal);
  document.body.addEventListener("crs:signed", redraw, { signal });
  watchArrows(steering, signal);
  watchRanges(steering, signal);
  stopSteering = () => {
    ends.abort();
    for (const plot of page.plots) plot.destroy();
  };
  steering.read(steering.restingAt);
  goToLinkedLane(page.host);
  return redraw;
};

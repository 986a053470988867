// The lanes of one course, one below the other under one time axis: the grade, treatments, criteria and values, each
// with what it reads at an instant.

import { axisOf, clock, dayOf, near, stamp } from "./axis.js";
import { placeBefore } from "./canvas.js";
import { criteria, devices, given, ribbon, row, show } from "./lanes.js";
import { failed } from "./loading.js";
import { keyOf } from "./plot_key.js";
import { plot, pointsOf } from "./plots.js";
import { addScaleBands } from "./scale_bands.js";
import { signedAt } from "./signed_marks.js";
import { timeLane } from "./time_lane.js";

const AHEAD = 0.06; // of the window, beyond the time known at
const TOGETHER = { map_mmhg: "systolic_mmhg" }; // drawn in the lane of the other

// Returns what a series shows at an instant, which is its last value; null before the first one.
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

export class Page {
  // `host` is the element of the plots, `reload` loads and draws everything again.
  constructor(host, data, reload) {
    this.host = host;
    this.data = data;
    this.reload = reload;
    this.isEmpty = !data.series.length && data.periods.every(({ grade }) => grade === 0);
    if (this.isEmpty) data.periods = []; // nothing was charted: that is no grade 0
    this.plots = [];
    this.lanes = [];
    this.readers = []; // of each lane: writes its value at an instant
    this.refreshers = []; // of each plot of values: draws them again when others were loaded
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
    this.host.append(lane.lane);
    try {
      const made = make(lane.plot);
      this.plots.push(made);
      this.lanes.push({ ...lane, plot: made, least: made.height });
      if (read) this.readers.push((at) => read(lane, at));
    } catch (error) {
      console.warn(error);
      failed(lane, name, this.reload);
    }
    return lane;
  }

  build() {
    const { data, host, state } = this;
    host.replaceChildren();
    this.add("Time", "", {
      className: "time",
      make: (place) =>
        timeLane(data, state, place, { ...axisOf(data, host.dataset.axis), stampOf: clock }),
      read: (lane, at) => show(lane, stamp(at), ""),
    }).lane.classList.add("time-lane");
    this.addGrade();
    this.loadScales = addScaleBands(this, host.dataset.scales, this.reload);
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
    const { data, state, readers } = this;
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
    readers.push((at) => {
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
          this.refreshers.push(() => made.setData(pointsOf(all), false));
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

// The flowsheet, on its page and in the place of the timeline: arrow keys walk through its cells, headings
// fold, and a bar shows the cell in focus.

import { store, stored } from "../storage.js";
import { printInSlices, removeSlices } from "./flowsheet_print.js";

const FOLDED = "crs-flowsheet-folded";
const IN_BAR = 3;

let sheet = null;
let table = null;
let bar = null;
let list = null;
let all = null;

// Each row as an array with the cell of every column: a cell over three columns stands there thrice.
const gridOf = () =>
  [...table.querySelectorAll("tbody tr[data-row]")]
    .filter((row) => !row.hidden)
    .map((row) => {
      const cells = [];
      for (const cell of row.querySelectorAll("td")) {
        for (let n = 0; n < cell.colSpan; n += 1) cells.push(cell);
      }
      return cells;
    });

let current = null;
let column = 0;

const titles = () => [...table.querySelectorAll(".hours th[data-title]")].map((th) => th.dataset.title);

const rangeOf = (cell) => {
  const row = gridOf().find((cells) => cells.includes(cell)) ?? [];
  const [first, last] = [titles()[row.indexOf(cell)], titles()[row.lastIndexOf(cell)]];
  return first === last ? first : `${first} to ${last}`;
};

const nameOf = (cell) => {
  const head = cell.closest("tr").querySelector("th").cloneNode(true);
  head.querySelector(".sign")?.remove();
  return head.textContent.trim().replace(/\s+/g, " ");
};

const linesOf = (cell) =>
  (cell.dataset.entries ?? "")
    .split(" ")
    .filter(Boolean)
    .map((place) => document.getElementById(`entry-${place}`))
    .reverse(); // newest first

const showLines = (cell, most) => {
  const lines = linesOf(cell);
  list.replaceChildren(
    ...lines.slice(0, most).map((line) => {
      const copy = line.cloneNode(true);
      copy.removeAttribute("id");
      return copy;
    }),
  );
  all.hidden = lines.length <= most;
  all.textContent = `All ${lines.length} entries`;
};

const show = (cell) => {
  const value = cell.cloneNode(true);
  for (const extra of value.querySelectorAll("i, .mark")) extra.remove();
  const text = value.textContent.trim();
  const head = bar.querySelector(".cell-head");
  const strong = document.createElement("b");
  strong.textContent = text || "nothing charted";
  head.replaceChildren(`${rangeOf(cell)} · ${nameOf(cell)} · `, strong);
  if (cell.dataset.note) head.append(` · ${cell.dataset.note}`);
  showLines(cell, IN_BAR);
  bar.hidden = false;
};

const select = (cell, { focus = true } = {}) => {
  if (current) {
    current.tabIndex = -1;
    current.removeAttribute("aria-describedby");
  }
  current = cell;
  cell.tabIndex = 0;
  show(cell);
  cell.setAttribute("aria-describedby", "cell-bar");
  if (focus) cell.focus();
};

const walk = (event) => {
  const cell = event.target.closest("td");
  const grid = gridOf();
  if (!cell || event.altKey || event.metaKey) return;
  const y = grid.findIndex((cells) => cells.includes(cell));
  if (y < 0) return;
  if (grid[y][column] !== cell) column = grid[y].indexOf(cell);
  const row = grid[y];
  let next = null;
  if (event.key === "ArrowRight") next = row[row.lastIndexOf(cell) + 1];
  else if (event.key === "ArrowLeft") next = row[row.indexOf(cell) - 1];
  else if (event.key === "ArrowDown") next = grid[y + 1]?.[column];
  else if (event.key === "ArrowUp") next = grid[y - 1]?.[column];
  else if (event.key === "Home") next = (event.ctrlKey ? grid[0] : row)[0];
  else if (event.key === "End") next = (event.ctrlKey ? grid.at(-1) : row).at(-1);
  else if (event.key === "Enter") {
    showLines(cell, Infinity);
    event.preventDefault();
    return;
  } else return;
  event.preventDefault();
  if (!next) return;
  if (!event.key.endsWith("Up") && !event.key.endsWith("Down")) column = grid[y].indexOf(next);
  if (event.ctrlKey) column = 0;
  select(next);
};

const key = () => `${FOLDED}:${document.body.dataset.user ?? ""}`;
const readFolded = () => {
  try {
    return new Set(JSON.parse(stored(key()) ?? "[]"));
  } catch {
    return new Set();
  }
};

const fold = (section, button, folded) => {
  button.setAttribute("aria-expanded", String(!folded));
  button.querySelector("span").textContent = folded ? "▸" : "▾";
  for (const row of section.querySelectorAll("tr[data-row]")) row.hidden = folded;
};

const watchHeadings = () => {
  const folded = readFolded();
  for (const head of table.querySelectorAll("[data-fold]")) {
    const section = head.closest("tbody");
    const button = document.createElement("button");
    const arrow = document.createElement("span");
    arrow.setAttribute("aria-hidden", "true");
    button.type = "button";
    button.append(arrow, ...head.childNodes);
    head.append(button);
    fold(section, button, folded.has(head.dataset.fold));
    button.addEventListener("click", () => {
      const now = readFolded();
      const closes = button.getAttribute("aria-expanded") === "true";
      if (closes) now.add(head.dataset.fold);
      else now.delete(head.dataset.fold);
      store(key(), JSON.stringify([...now]));
      fold(section, button, closes);
      if (current?.closest("tr").hidden) start();
    });
  }
};

// The newest cell of the first row can be reached by Tab; the others by the arrow keys from there.
const start = () => {
  const row = gridOf()[0];
  if (!row) return;
  const isNewestLast = sheet.dataset.order !== "first";
  if (current) current.tabIndex = -1;
  current = isNewestLast ? row.at(-1) : row[0];
  column = isNewestLast ? row.length - 1 : 0;
  current.tabIndex = 0;
};

const begin = () => {
  sheet = document.querySelector("[data-sheet]");
  table = sheet?.querySelector("table");
  bar = document.getElementById("cell-bar");
  if (!table) return;
  list = bar.querySelector("ol");
  all = bar.querySelector("[data-all]");
  current = null;
  for (const cell of table.querySelectorAll("tr[data-row] td")) {
    cell.tabIndex = -1;
    for (const link of cell.querySelectorAll("a")) link.replaceWith(...link.childNodes);
  }
  watchHeadings();
  start();
  bar.hidden = false;
  table.addEventListener("keydown", walk);
  table.addEventListener("focusin", (event) => {
    const cell = event.target.closest("tr[data-row] td");
    if (cell && (cell !== current || !cell.hasAttribute("aria-describedby"))) {
      select(cell, { focus: false });
    }
  });
  table.addEventListener("click", (event) => {
    const cell = event.target.closest("tr[data-row] td");
    if (cell) cell.focus();
  });
  all.addEventListener("click", () => {
    if (current) showLines(current, Infinity);
  });
  if (sheet.dataset.order !== "first") sheet.scrollLeft = sheet.scrollWidth;
  const keyBox = document.querySelector("[data-sheet-key]");
  if (keyBox && (matchMedia("(max-width: 1100px)").matches || sheet.closest(".as-table"))) keyBox.open = false;
};

// What the reader has before the eyes, by row and column, so that it is there again in a newer sheet.
const place = () => {
  const row = current?.closest("tr").dataset.row;
  return {
    row,
    title: row && titles()[column],
    isSelected: bar.querySelector("ol").childElementCount > 0 || current?.hasAttribute("aria-describedby"),
    hasFocus: table.contains(document.activeElement),
    left: sheet.scrollLeft,
    top: sheet.scrollTop,
  };
};

const goBackTo = (before) => {
  const at = titles().indexOf(before.title);
  const row = gridOf().find((cells) => cells[0].closest("tr").dataset.row === before.row);
  if (before.isSelected && at >= 0 && row?.[at]) {
    column = at;
    select(row[at], { focus: false });
    if (before.hasFocus) row[at].focus({ preventScroll: true });
  }
  sheet.scrollLeft = before.left;
  sheet.scrollTop = before.top;
};

begin();

addEventListener("beforeprint", () => printInSlices(table));
addEventListener("afterprint", () => removeSlices());

// In the place of the timeline a newer sheet comes by itself, or another one that was asked for.
let before = null;
document.body.addEventListener("htmx:beforeSwap", ({ detail: { target, requestConfig } }) => {
  const isRefresh = target?.id === "timeline" && requestConfig?.elt === target;
  if (target?.id === "timeline") before = isRefresh && table?.isConnected ? place() : null;
});
document.body.addEventListener("htmx:afterSettle", () => {
  const found = document.querySelector("[data-sheet]");
  if (!found || found === sheet) return;
  begin();
  if (before) goBackTo(before);
  before = null;
});

const form = document.querySelector("[data-sheet-form]");
form?.addEventListener("change", (event) => {
  if (event.target.matches("select")) form.requestSubmit();
});

// The page does not change by itself: after a while it says which state it shows, and the newest column
// is dashed.
const OLD_AFTER = 5 * 60_000;
const old = document.querySelector("[data-sheet-old]");
if (old) {
  const openedAt = Date.now();
  setInterval(() => {
    if (Date.now() - openedAt < OLD_AFTER) return;
    old.hidden = false;
    document.body.dataset.sheetIsOld = "";
  }, 10_000);
}

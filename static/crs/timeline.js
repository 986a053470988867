// The timeline: rows of others come to their place, filter and position are in the address, and the
// focus goes on to the first of the older rows.

const older = () => document.querySelector("#older [data-until]");

// Whether the flowsheet stands in the place of the list; it brings its own address.
const isTable = () => document.querySelector("#timeline.as-table") !== null;

// What the page shows of the timeline, in the words of the server.
export const timelineShown = () => ({
  show: isTable() ? "table" : (document.getElementById("timeline-kind")?.value ?? ""),
  day: document.getElementById("timeline-day")?.defaultValue ?? "",
  until: older()?.dataset.until ?? "",
});

const contentOf = (row) =>
  [row.className.replace("row-new", "").trim(), row.textContent.replace(/\s+/g, " ").trim()].join();
const isSame = (old, row) =>
  contentOf(old) === contentOf(row) &&
  old.querySelector("[data-until]")?.dataset.until === row.querySelector("[data-until]")?.dataset.until;

const replace = (old, row) => {
  const open = [...old.querySelectorAll("details[open][id]")].map(({ id }) => id);
  const hadFocus = old.contains(document.activeElement);
  old.replaceWith(row);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (hadFocus) row.querySelector("summary, a")?.focus({ preventScroll: true });
};

// Makes `rows` the rows of the list and leaves alone each row that reads as before.
export const mergeRows = (rows, incoming) => {
  const top = rows.firstElementChild?.getBoundingClientRect().top ?? 0;
  const anchor = top < 0 ? [...rows.children].find((row) => row.getBoundingClientRect().top >= 0) : null;
  const anchorTop = anchor?.getBoundingClientRect().top;
  const known = new Map([...rows.children].map((row) => [row.id, row]));
  const wanted = [...incoming.children];
  const stays = new Set(wanted.map(({ id }) => id));
  for (const [id, row] of known) if (!stays.has(id)) row.remove();
  let place = rows.firstElementChild;
  for (const row of wanted) {
    const old = known.get(row.id);
    if (old && isSame(old, row)) {
      if (old === place) place = place.nextElementSibling;
      else rows.insertBefore(old, place);
    } else if (old) {
      if (old === place) place = place.nextElementSibling;
      else rows.insertBefore(old, place);
      replace(old, row);
      window.htmx.process(row);
    } else {
      row.classList.add("row-new");
      rows.insertBefore(row, place);
      window.htmx.process(row);
    }
  }
  // Someone who reads further down keeps the line before the eyes.
  if (anchor?.isConnected) window.scrollBy({ top: anchor.getBoundingClientRect().top - anchorTop, behavior: "instant" });
};

// Sets a parameter of the page's address; an empty one leaves it out.
const withParameters = (parameters) => {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(parameters)) {
    if (value) address.searchParams.set(name, value);
    else address.searchParams.delete(name);
  }
  return address;
};

// The address of what the page shows, without the place in it that a link jumps to.
const shownAddress = () => location.pathname + location.search;
let current = shownAddress();

// Goes to `address` without a request; Back then loads the page as it was.
export const pushAddress = (address) => {
  if (address.pathname + address.search === current) return;
  history.pushState({}, "", address);
  current = shownAddress();
};

// The cursor of the lowest row that is loaded: the id of its entry, unless the row names another.
const lowestRow = () => {
  const rows = document.querySelectorAll("#timeline-rows > :is([data-cursor], [id^='entry-'])");
  const lowest = rows[rows.length - 1];
  return lowest?.dataset.cursor ?? lowest?.id.slice("entry-".length) ?? "";
};

const setAddress = (isNewView) => {
  if (isTable()) return;
  const { show, day } = timelineShown();
  const lowest = isNewView ? "" : lowestRow();
  const address = withParameters({ show, day, until: lowest });
  if (isNewView) pushAddress(address);
  else {
    history.replaceState(history.state, "", address);
    current = shownAddress();
  }
};

// The row above the place of older rows, while they are put in.
let lastBefore = null;
const focusFirstOlder = () => {
  const first = lastBefore.nextElementSibling;
  lastBefore = null;
  if (!first) return;
  first.tabIndex = -1;
  first.focus({ preventScroll: true });
};

export const watchTimeline = () => {
  document.body.addEventListener("htmx:beforeSwap", ({ detail: { target } }) => {
    if (target?.id === "older") lastBefore = target.previousElementSibling;
  });
  document.body.addEventListener("htmx:afterSettle", ({ detail: { requestConfig } }) => {
    if (lastBefore) {
      focusFirstOlder();
      setAddress(false);
    } else if (requestConfig?.elt?.matches?.(".timeline-head form")) setAddress(true);
  });
  addEventListener("popstate", () => {
    if (shownAddress() !== current) location.reload();
  });
};

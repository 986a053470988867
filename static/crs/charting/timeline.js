// Rows that a save adds arrive on top and are put in their places: by clinical time, and of one
// instant above what was charted before them, under the changes of grade. The page may show one kind
// alone, or end before an older row's place: such a row is left out, for the server has it there.

const placed = new WeakSet();

// What has no time, the link to what is older, stands above nothing and under nothing.
const instant = (row) => Date.parse(row.querySelector(":scope > time")?.dateTime);
const isChange = (row) => row.classList.contains("row-grade_change");

const standsAbove = (row, other) =>
  instant(row) > instant(other) ||
  (instant(row) === instant(other) && (isChange(row) || !isChange(other)));

const put = (row, list) => {
  placed.add(row);
  const kind = document.getElementById("timeline-kind").value;
  if (kind && !row.classList.contains(`row-${kind}`)) return;
  const below = [...list.children].find((other) => standsAbove(row, other));
  if (below) below.before(row);
  else if (!document.getElementById("older")) list.append(row);
};

export const watchTimeline = () => {
  document.body.addEventListener("htmx:oobAfterSwap", (event) => {
    const list = event.detail.target;
    if (list?.id !== "timeline-rows") return;
    const fresh = [...list.querySelectorAll(":scope > .row-new")].filter((row) => !placed.has(row));
    for (const row of fresh) row.remove();
    for (const row of fresh.reverse()) put(row, list);
  });
};

// What a monitor sent and nobody charted: the row at the form and the line in the grade card. They ask for
// themselves; a form of vital signs that was just loaded asks again, because it has an empty row.

const place = () => document.getElementById("not-charted");

export const watchReceived = () => {
  if (!place()) return;
  document.body.addEventListener("htmx:afterSettle", ({ detail: { target } }) => {
    const row = document.getElementById("monitor-row");
    if (target?.id !== "entry-form" || !row || row.childElementCount) return;
    place().dispatchEvent(new Event("crs:received"));
  });
};

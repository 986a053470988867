// What a monitor sent and nobody charted: the row at the form and the line in the grade card. They load by themselves,
// and again when a form of vital signs was loaded, because its row is empty. Another form has no place for the row: only
// the line is loaded then.

const place = () => document.getElementById("not-charted");

// Not within watchReceived, which waits for the drafts: the first request may go before.
document.body.addEventListener("htmx:configRequest", ({ detail: { elt, parameters } }) => {
  if (elt === place() && !document.getElementById("monitor-row")) parameters.only = "line";
});

// The form may have changed while the row was on its way: then the line alone is asked for.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { requestConfig, xhr } = event.detail;
  if (requestConfig?.elt !== place() || document.getElementById("monitor-row")) return;
  if (!xhr.responseText.includes('id="monitor-row"')) return;
  event.detail.shouldSwap = false;
  place().dispatchEvent(new Event("crs:received"));
});

export const watchReceived = () => {
  if (!place()) return;
  document.body.addEventListener("htmx:afterSettle", ({ detail: { target } }) => {
    const row = document.getElementById("monitor-row");
    if (target?.id !== "entry-form" || !row || row.childElementCount) return;
    place().dispatchEvent(new Event("crs:received"));
  });
};

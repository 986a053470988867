// The kinds of entry: "More" and a tap on a kind bring the panel into sight, Escape closes the tiles.

const panel = () => document.getElementById("entry-form");

export const watchKinds = () => {
  document.addEventListener(
    "toggle",
    (event) => {
      if (event.target.matches?.(".more-tabs") && event.target.open) {
        panel().scrollIntoView({ block: "nearest" });
      }
    },
    true,
  );
  document.addEventListener("keydown", (event) => {
    const more = document.querySelector(".more-tabs[open]");
    if (event.key !== "Escape" || !more) return;
    more.open = false;
    more.querySelector("summary").focus({ preventScroll: true });
  });
  document.body.addEventListener("htmx:afterSettle", (event) => {
    const { target, requestConfig } = event.detail;
    if (target?.id !== "entry-form" || !requestConfig?.elt?.closest?.(".tabs")) return;
    panel()?.scrollIntoView({ block: "nearest" });
  });
};

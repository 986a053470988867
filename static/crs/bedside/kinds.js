// The kinds of entry: "More" opens the tiles inside the panel, and a tap on a kind brings the form into
// sight. Without this file "More" is a link to the tiles.

const panel = () => document.getElementById("entry-form");
const tiles = () => document.getElementById("more-kinds");

const setOpen = (isOpen) => {
  tiles()?.classList.toggle("is-open", isOpen);
  document.getElementById("tab-more")?.setAttribute("aria-expanded", String(isOpen));
};

const toggle = (button) => {
  const isOpen = button.getAttribute("aria-expanded") === "true";
  setOpen(!isOpen);
  if (isOpen) return;
  tiles().querySelector(".tiles a").focus({ preventScroll: true });
  panel().scrollIntoView({ block: "nearest" });
};

export const watchKinds = () => {
  document.addEventListener("click", (event) => {
    const more = event.target.closest("[data-more-kinds]");
    if (more) {
      event.preventDefault();
      toggle(more);
    } else if (event.target.closest(".kinds a")) setOpen(false);
  });
  document.addEventListener("keydown", (event) => {
    const more = document.getElementById("tab-more");
    if (event.key === " " && event.target === more) {
      event.preventDefault();
      toggle(more);
    }
    if (event.key !== "Escape" || !tiles()?.classList.contains("is-open")) return;
    setOpen(false);
    more.focus({ preventScroll: true });
  });
  document.body.addEventListener("htmx:afterSettle", (event) => {
    const { target, requestConfig } = event.detail;
    if (target?.id !== "entry-form" || !requestConfig?.elt?.closest?.(".tabs")) return;
    panel()?.scrollIntoView({ block: "nearest" });
  });
};

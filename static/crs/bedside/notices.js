// Shows one notice above the card, the first in the order of the page; the others are one line that
// opens them.

import { setText } from "../elements.js";

const NOTICES = ".connection, .rise, .closed-notice";

const place = () => document.querySelector(".notices");
const button = () => document.getElementById("more-notices");
let showsAll = false;

const arrange = () => {
  const due = [...place().querySelectorAll(NOTICES)].filter(({ hidden }) => !hidden);
  if (due.length < 2) showsAll = false;
  for (const [index, notice] of due.entries()) {
    notice.toggleAttribute("data-waits", index > 0 && !showsAll);
  }
  const waiting = showsAll ? 0 : Math.max(0, due.length - 1);
  setText(button(), waiting ? `${waiting} more notice${waiting === 1 ? "" : "s"}` : "");
  if (button().hidden === waiting > 0) button().hidden = !waiting;
};

export const watchNotices = () => {
  if (!place() || !button()) return;
  button().addEventListener("click", () => {
    showsAll = true;
    arrange();
  });
  const changes = { subtree: true, childList: true, attributes: true, attributeFilter: ["hidden"] };
  new MutationObserver(arrange).observe(place(), changes);
  arrange();
};

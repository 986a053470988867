// Notices of drafts: in the restored form, and below the tabs for other forms.

import { hasStorage } from "../storage.js";
import { draftsUnder, outlivesPage, unsentOfOthers } from "./store.js";
import { setText } from "../elements.js";
import { clockText } from "../site_time.js";

export const actionOf = (form) => new URL(form.action).pathname;

// `lost` are values of the draft for which the form has no field.
export const restoredLine = (form, draft, lost) => {
  const line = document.createElement("p");
  line.className = "unsent";
  line.dataset.restored = "";
  line.setAttribute("role", "status");
  const text = document.createElement("span");
  const age = document.createElement("span");
  age.dataset.age = new Date(draft.typedAt).toISOString();
  const ticks = draft.ticks ? " Tick again what is unchanged." : "";
  const noField = lost.length ? ` This form has no field for: ${lost.join(", ")}.` : "";
  text.append(`Not sent yet: typed ${clockText(draft.typedAt)} (`, age, `).${ticks}${noField}`);
  const discard = document.createElement("button");
  discard.type = "button";
  discard.className = "btn btn-quiet";
  discard.dataset.discard = "";
  discard.textContent = "Discard";
  line.append(text, discard);
  form.prepend(line);
};

const COURSE = /^\/courses\/[0-9a-f-]{36}\//;
const courseHere = () => COURSE.exec(location.pathname)?.[0];
const kindOf = (action) => /\/entries\/([^/]+)\/$/.exec(action)?.[1];

export const labelOf = (action) => {
  const kind = kindOf(action);
  if (kind) return document.getElementById(`tab-${kind}`)?.textContent.trim() ?? "An entry";
  if (action.endsWith("/correct/")) return "A correction";
  return action.endsWith("/retract/") ? "Entered in error" : null;
};

// The address of the page that opens with this form.
export const addressOf = (action, course = courseHere()) => {
  const kind = kindOf(action);
  return kind ? `${course}?kind=${kind}` : action;
};

// Lists the other forms of the course that have drafts, below the tabs.
export const nameOthers = () => {
  const panel = document.getElementById("entry-form");
  const course = courseHere();
  panel?.querySelector("[data-others]")?.remove();
  if (!panel || !course) return;
  const here = [...document.querySelectorAll("form[data-entry]")].map(actionOf);
  const others = draftsUnder(course).filter(
    ([action]) => !here.includes(action) && labelOf(action),
  );
  if (!others.length) return;
  const line = document.createElement("p");
  line.className = "unsent";
  line.dataset.others = "";
  line.append("Not sent yet:");
  for (const [action, draft] of others) {
    const link = document.createElement("a");
    link.href = addressOf(action);
    link.textContent = `${labelOf(action)}, typed ${clockText(draft.typedAt)}`;
    line.append(link);
  }
  const head = panel.querySelector(".entry-head") ?? panel.querySelector("h2");
  head.after(line);
};

const countOf = (count) => `${count} ${count === 1 ? "value" : "values"} not saved`;

// Sets, or takes away, the line of this mark below the head of a panel.
const setHint = (panel, mark, text) => {
  let line = panel.querySelector(`[data-${mark}]`);
  if (!text) {
    line?.remove();
    return;
  }
  if (!line) {
    line = Object.assign(document.createElement("p"), { className: "hint" });
    line.setAttribute(`data-${mark}`, "");
    const head = panel.querySelector(".entry-head") ?? panel.querySelector("h2");
    if (head) head.after(line);
    else panel.append(line);
  }
  setText(line, text);
};

const LOST = "what you type is lost when the page is closed or locked.";
const NOT_KEPT = hasStorage
  ? `This address is not protected (https): ${LOST}`
  : `This browser refuses to keep anything: ${LOST}`;

// Says who else has typed how many values on this tablet, and nothing more of them; and where what is typed
// here is not kept.
export const showUnsentOfOthers = () => {
  const others = unsentOfOthers();
  const text = others.map(({ by, count }) => `${by}: ${countOf(count)}`).join("; ");
  for (const place of document.querySelectorAll("[data-unsent-of]")) {
    const one = others.find(({ user }) => user === place.dataset.unsentOf);
    setText(place, one ? countOf(one.count) : "");
  }
  const panel = document.getElementById("entry-form");
  const place = panel ?? document.querySelector(".site-foot");
  if (place) setHint(place, "unsent-of-others", text);
  if (panel) setHint(panel, "not-kept", outlivesPage ? "" : NOT_KEPT);
};

// Says on every page of a user how many entries wait, which, and why one was refused; and on the grade card that
// they are not in the grade. A refused entry is opened in its form, or discarded after a question.

import { now } from "../clock.js";
import { element, setText } from "../elements.js";
import { addressOf } from "../unsent/notices.js";
import { draftOf, keepDraft } from "../unsent/store.js";
import { countWords, countsByUser } from "./database.js";
import { REFUSED, UNSENT, dropEntry, entriesIn, rowsOfOthers } from "./store.js";

const NOT_VALUES = new Set(["csrfmiddlewaretoken", "form_id", "opened_at", "begun_at", "sent_at", "confirmed"]);
const button = (text, className, onClick) => {
  const made = element("button", text, { type: "button", className: `btn ${className}` });
  made.addEventListener("click", onClick);
  return made;
};

// Entries whose save is on its way and has not failed: they are not shown yet.
const onTheirWay = new Set();
export const underWay = (formId) => {
  onTheirWay.add(formId);
  return () => {
    onTheirWay.delete(formId);
    showOutbox();
  };
};
const formIdOf = ({ name }) => name.split(":")[1];
const unsent = () => entriesIn(UNSENT).filter((entry) => !onTheirWay.has(formIdOf(entry)));

// Puts a refused entry into its form, under a new form id and with its time; what is typed there stays.
const open = (entry, message) => {
  const { path, fields } = entry.content;
  const action = new URL(path, location.href).pathname;
  if (draftOf(action)) {
    message.textContent = "Something else is typed in this form. Save or discard it first.";
    return;
  }
  const sent = Object.fromEntries(fields);
  const values = fields.filter(([name]) => !NOT_VALUES.has(name));
  const draft = {
    formId: crypto.randomUUID(),
    begunAt: "",
    sentAt: sent.sent_at ?? "",
    replaces: formIdOf(entry),
    values,
    ticks: values.filter(([name]) => name.startsWith("unchanged")).length,
    typedAt: now(),
  };
  keepDraft(action, draft, values.filter(([, value]) => value).length, () => {
    const course = /^\/courses\/[^/]+\//.exec(path)[0];
    location.assign(new URL(addressOf(action, course), location.href));
  });
};

const refusedParts = (entry) => {
  const message = element("span", "", { className: "wrong", role: "alert" });
  const acts = element("span", "", { className: "outbox-acts" });
  const ask = () => {
    const yes = button("Discard it for good", "btn-quiet", () => dropEntry(entry));
    const no = button("Keep it", "btn-quiet", () => acts.replaceChildren(...first));
    acts.replaceChildren(yes, no);
    no.focus();
  };
  const first = [button("Discard", "btn-quiet", ask)];
  if (!entry.content.isTap) first.unshift(button("Open in the form", "btn-quiet", () => open(entry, message)));
  acts.replaceChildren(...first);
  return [element("span", entry.content.reason, { className: "wrong" }), acts, message];
};

const lineOf = (entry) => {
  const { title, words, when, patient, isAgain, reason } = entry.content;
  const line = element("li", "");
  line.dataset.state = entry.state;
  line.append(element("b", `${when} ${title}`), " ", element("span", words), " ");
  line.append(element("small", [patient, isAgain && "sent before: the server was restored"].filter(Boolean).join(" · ")));
  if (entry.state === REFUSED) line.append(...refusedParts(entry));
  else if (reason) line.append(element("span", reason, { className: "wrong" }));
  return line;
};

const lost = () => document.body.dataset.connection !== undefined || !navigator.onLine;
const whatHappens = (waiting) => {
  if (!waiting) return "Not recorded. Read why, then enter it again or discard it.";
  return lost()
    ? "Kept on this tablet. Sent by itself when the network is back."
    : "Kept on this tablet. Sent by itself as soon as the server answers.";
};

const detailsOf = (waiting, refused) => {
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  summary.append(
    element("strong", `Not graded: ${countWords(waiting.length, refused.length)}`),
    " ",
    element("span", whatHappens(waiting.length)),
  );
  const list = document.createElement("ol");
  list.append(...refused.map(lineOf), ...waiting.map(lineOf));
  details.append(summary, list);
  return details;
};

const othersLine = () => {
  const counts = countsByUser(rowsOfOthers());
  if (!counts.length) return null;
  const text = counts.map(({ by, unsent: some, refused }) => `${by}: ${countWords(some, refused)}`).join("; ");
  return element("p", `On this tablet, not graded – ${text}. Sent when that user signs in here.`, { className: "outbox-others" });
};

const courseHere = () => /^\/courses\/[0-9a-f-]{36}\//.exec(location.pathname)?.[0];

const markCard = (entries) => {
  const card = document.getElementById("grade-card");
  const course = courseHere();
  if (!card || !course) return;
  const here = entries.filter(({ content }) => content.path.startsWith(course));
  const words = here.length && `Not graded: ${countWords(
    here.filter(({ state }) => state === UNSENT).length,
    here.filter(({ state }) => state === REFUSED).length,
  )}. This grade is without ${here.length === 1 ? "it" : "them"}.`;
  const line = card.querySelector("[data-not-graded]");
  if (!words) line?.remove();
  else if (line) setText(line, words);
  else {
    const made = element("p", words, { className: "not-graded" });
    made.dataset.notGraded = "";
    card.querySelector(".grade-body").prepend(made);
  }
};

let shown = "";
const showOutbox = () => {
  const [waiting, refused] = [unsent(), entriesIn(REFUSED)];
  markCard([...waiting, ...refused]);
  const place = document.getElementById("outbox");
  if (!place) return;
  const others = othersLine();
  const content = JSON.stringify([waiting, refused, others?.textContent, lost()]);
  if (content === shown) return;
  shown = content;
  const wasOpen = place.querySelector("details")?.open;
  const parts = waiting.length + refused.length ? [detailsOf(waiting, refused)] : [];
  if (parts.length) parts[0].open = wasOpen || refused.length > 0;
  place.replaceChildren(...parts, ...(others ? [others] : []));
  place.hidden = !place.firstChild;
};

export const watchOutbox = () => {
  showOutbox();
  document.body.addEventListener("crs:outbox", showOutbox);
  document.body.addEventListener("crs:connection", showOutbox);
  for (const swap of ["htmx:afterSwap", "htmx:oobAfterSwap"]) {
    document.body.addEventListener(swap, ({ detail: { target } }) => {
      if (["grade-card", "main"].includes(target?.id) || !document.querySelector("[data-not-graded]")) showOutbox();
    });
  }
};

// Sends what waits in the outbox, one entry at a time and the oldest first, as soon as the server answers. Each goes
// under the form id of its first try, so that one that the server has already is answered and not recorded twice.

import { now, requestUpdate } from "../clock.js";
import { csrfToken } from "../csrf.js";
import { POLL_HEADER } from "../poll_header.js";
import { reasonIn } from "../refusals.js";
import { isAnsweredBy, requestWordsOf } from "../request_id.js";
import { store, stored } from "../storage.js";
import { hasKey, user } from "../unsent/store.js";
import { SENT, UNSENT, alone, confirmEntry, delayEntry, entriesIn, refuseEntry, sendAgain } from "./store.js";

const TRY_AGAIN_AFTER = 15_000;
const ASK_EVERY = 5 * 60_000;
const ASKED_AT_MOST_EVERY = 60_000; // by the pages that are opened one after another
const ANSWER_WITHIN = 20_000;
const ASKED_AT = `crs-outbox-asked:${user}`;
const ASKED_AT_MOST = 200;

const REFUSALS = {
  400: "The server could not read it.",
  403: "You may not chart for this patient at present: another ward, or your role.",
  404: "This patient or entry does not exist any more.",
  413: "The text is too long.",
  415: "The server could not read it.",
};
const [NO_ANSWER, ANSWERED, FAULT, WAITS] = ["no answer", "answered", "fault", "waits"];

// An entry is never deleted: one that the server does not have any more was saved after the backup that the server
// was restored to. It comes again from this outbox, or from the tablet on which it was saved.
const CHANGE = /\/entries\/[0-9a-f-]{36}\/(correct|retract)\/$/;
const WAITS_AT_MOST = 24 * 60 * 60_000;
const WAITS_FOR_IT =
  "The entry that this changes is not on the server: it was restored to an earlier time. Sent as soon as the entry is there again.";
const mayWait = ({ at, content: { path } }) => CHANGE.test(path) && now() - at < WAITS_AT_MOST;

const post = (path, fields) => {
  const body = new URLSearchParams(fields);
  body.delete("csrfmiddlewaretoken");
  return fetch(path, {
    method: "POST",
    headers: { "X-CSRFToken": csrfToken(), "HX-Request": "true", [POLL_HEADER]: "yes" },
    body,
    signal: AbortSignal.timeout(ANSWER_WITHIN),
  });
};

const formOf = ({ name }) => name.split(":")[1];

// Returns the ids of those forms of `entries` that the server has not stored; null where it does not answer.
const unknownAmong = async (entries) => {
  const names = entries.map((entry) => ["form", `${entry.content.path.split("/")[2]}:${formOf(entry)}`]);
  const response = await post(document.body.dataset.outboxKnown, names).catch(() => null);
  if (!response?.ok || !isAnsweredBy(response)) return null;
  return (await response.json()).unknown;
};

// The right to chart may have ended after the entry was stored and its answer was lost.
const settleForbidden = async (entry) => {
  const unknown = await unknownAmong([entry]);
  if (!unknown) return NO_ANSWER;
  if (unknown.includes(formOf(entry))) await refuseEntry(entry, REFUSALS[403]);
  else await confirmEntry(entry);
  return ANSWERED;
};

const settle = async (entry, response) => {
  const { status, headers } = response;
  if (!isAnsweredBy(response)) return NO_ANSWER;
  if (status === 200 && headers.get("CRS-Stored") === "yes") {
    await confirmEntry(entry);
    return ANSWERED;
  }
  if (status === 409 || status === 422) {
    await refuseEntry(entry, `${reasonIn(await response.text())} ${requestWordsOf(response)}`.trim());
    return ANSWERED;
  }
  if (status === 404 && mayWait(entry)) {
    await delayEntry(entry, WAITS_FOR_IT);
    return WAITS;
  }
  if (status === 403 && headers.get("CRS-Page") !== "old") return settleForbidden(entry);
  if (status in REFUSALS && headers.get("CRS-Page") !== "old") {
    await refuseEntry(entry, REFUSALS[status]);
    return ANSWERED;
  }
  // A fault of the server may have stored it: it stays, and the next one is tried.
  return status === 500 ? FAULT : NO_ANSWER;
};

const send = async (entry) => {
  try {
    return await settle(entry, await post(entry.content.path, entry.content.fields));
  } catch {
    return NO_ANSWER;
  }
};

let retry;
let isRunning = false;
let isAskedAgain = false; // while it ran: an entry may have come after those that it sends

const sendAll = async () => {
  const outcomes = [];
  for (const entry of entriesIn(UNSENT)) {
    outcomes.push(await alone(entry, () => send(entry)));
    if (outcomes.at(-1) === NO_ANSWER) break;
  }
  return outcomes;
};

export const sendUnsent = async () => {
  clearTimeout(retry);
  if (!hasKey || !entriesIn(UNSENT).length) return;
  isAskedAgain = isRunning;
  if (isRunning) return;
  isRunning = true;
  let outcomes = [];
  try {
    outcomes = await navigator.locks.request("crs-outbox", { ifAvailable: true }, (lock) => (lock ? sendAll() : []));
  } finally {
    isRunning = false;
  }
  if (outcomes.includes(ANSWERED)) {
    requestUpdate(); // the grade with what has arrived
    document.body.dispatchEvent(new Event("crs:charted"));
  }
  if (outcomes.includes(WAITS)) askWhatIsKnown();
  if (isAskedAgain) {
    isAskedAgain = false;
    sendUnsent();
  } else if (entriesIn(UNSENT).length) retry = setTimeout(sendUnsent, TRY_AGAIN_AFTER);
};

// A server that was restored to a time before an entry does not know it any more: it gets it again.
const askWhatIsKnown = async () => {
  const sent = entriesIn(SENT).slice(-ASKED_AT_MOST);
  if (!sent.length) return;
  const unknown = await unknownAmong(sent);
  if (!unknown) return;
  for (const entry of sent.filter((one) => unknown.includes(formOf(one)))) await sendAgain(entry);
  store(ASKED_AT, String(now()));
  if (unknown.length) sendUnsent();
};

const askOnLoad = () => {
  if (now() - Number(stored(ASKED_AT)) > ASKED_AT_MOST_EVERY) askWhatIsKnown();
};

export const watchSender = () => {
  if (!hasKey) return;
  sendUnsent();
  askOnLoad();
  setInterval(askWhatIsKnown, ASK_EVERY);
  addEventListener("online", sendUnsent);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) sendUnsent();
  });
  // The first answer after an outage (connection.js).
  document.body.addEventListener("crs:answered", () => {
    sendUnsent();
    askWhatIsKnown();
  });
};

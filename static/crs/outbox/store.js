// The outbox of the user of this page: saved entries that the server has not answered, those that it refused,
// and for a day those that it confirmed, in case it is restored to a time before them. Each is sealed with the
// key of its author, as drafts are (unsent/store.js). The page keeps the opened ones in its memory.

import { now } from "../clock.js";
import { store, stored } from "../storage.js";
import { hasKey, seal, unseal, user, userName } from "../unsent/store.js";
import { allRows, deleteRow, putRow, rowOf } from "./database.js";

export const UNSENT = "unsent";
export const REFUSED = "refused";
export const SENT = "sent";
const IN_USE = "crs-outbox-in-use";
const SENT_KEPT_FOR = 24 * 60 * 60_000;

const PREFIX = `${user}:`;
const tabs = "BroadcastChannel" in globalThis ? new BroadcastChannel("crs-outbox") : null;

// Own entries by name: { name, at, state, answeredAt, content }. `content` has path, fields, title, words, when,
// patient and, of one that is refused or waits for another one, reason.
const own = new Map();
// Rows that this page cannot open, as allRows has them: of other users, or of another key.
let foreign = [];

const changed = () => document.body.dispatchEvent(new Event("crs:outbox"));

const isOver = ({ state, answeredAt }) => state === SENT && now() - answeredAt > SENT_KEPT_FOR;

const take = async (name, row) => {
  const content = row && name.startsWith(PREFIX) && hasKey ? await unseal(name, row) : null;
  if (content) own.set(name, { name, at: row.at, state: row.state, answeredAt: row.answeredAt, content });
  else own.delete(name);
  return content !== null;
};

const load = async () => {
  const closed = [];
  for (const [name, row] of await allRows()) {
    if (isOver(row)) await deleteRow(name);
    else if (!(await take(name, row))) closed.push([name, row]);
  }
  foreign = closed;
};
// The scripts of a page wait for the outbox where this browser ever had one, so that no draft of a saved entry is
// shown. The mark stays: a page that took it away could hide what another one just kept.
if (stored(IN_USE)) await load();

// One after another: what was asked for last is what stays.
let last = Promise.resolve();
const afterOthers = (act) => {
  const done = last.then(act);
  last = done.catch(() => {}); // one that fails must not stop the next
  return done;
};

// Without the mark the next page would show and send nothing: where the storage is full, nothing is kept.
const mark = () => store(IN_USE, "yes");

const write = ({ name, at, state, answeredAt, content }) =>
  afterOthers(async () => {
    const isStored = mark() && await putRow(name, { by: userName, at, state, answeredAt, ...(await seal(name, content)) });
    tabs?.postMessage(name);
    return isStored;
  });

const inOrder = () => [...own.values()].sort((one, other) => one.at - other.at);
export const entriesIn = (state) => inOrder().filter((entry) => entry.state === state);
export const entryOf = (formId) => own.get(PREFIX + formId);
export const rowsOfOthers = () => foreign;

// Keeps an entry from the moment at which it is sent first; resolves to whether it is stored.
export const keepEntry = (formId, at, content) => {
  const entry = { name: PREFIX + formId, at, state: UNSENT, answeredAt: null, content };
  own.set(entry.name, entry);
  return write(entry);
};

const setState = async (entry, state, more = {}) => {
  entry.state = state;
  entry.answeredAt = now();
  entry.content = { ...entry.content, ...more };
  const isStored = await write(entry);
  changed();
  return isStored;
};
export const confirmEntry = (entry) => setState(entry, SENT, { reason: undefined });
export const refuseEntry = (entry, reason) => setState(entry, REFUSED, { reason });
export const sendAgain = (entry) => setState(entry, UNSENT, { isAgain: true });
// Keeps it unsent, with the reason why it waits.
export const delayEntry = async (entry, reason) => {
  if (entry.content.reason !== reason) await setState(entry, UNSENT, { reason });
};

export const dropEntry = async (entry) => {
  own.delete(entry.name);
  await afterOthers(() => deleteRow(entry.name));
  tabs?.postMessage(entry.name);
  changed();
};

// Runs `act` with the stored row of the entry, where nobody else saves or sends it, in any tab. A tab that was closed
// or killed keeps no lock.
const locked = (name, act) =>
  navigator.locks.request(`crs-outbox:${name}`, { ifAvailable: true }, async (lock) =>
    lock ? act(await rowOf(name)) : undefined,
  );

// Runs `act` where the entry is unsent and nobody else sends it.
export const alone = ({ name }, act) => locked(name, (row) => (row?.state === UNSENT ? act() : undefined));

// Keeps an entry that no tab has, or is about to have; resolves to whether it is stored, and to undefined where a tab
// has it.
export const keepMissing = (formId, at, content) =>
  locked(PREFIX + formId, async (row) => {
    if (row) return undefined;
    const isStored = await keepEntry(formId, at, content);
    if (!isStored) dropEntry(entryOf(formId));
    return isStored;
  });

// Returns a function that lets the entry go; until then no other tab sends it.
export const reserve = (formId) => {
  let release = () => {};
  const until = new Promise((resolve) => {
    release = resolve;
  });
  navigator.locks.request(`crs-outbox:${PREFIX}${formId}`, () => until);
  return release;
};

// Ends what a draft replaces, once its form was saved.
export const dropReplaced = (formId) => {
  const replaced = formId && entryOf(formId);
  if (replaced?.state === REFUSED) dropEntry(replaced);
};

export const watchOutboxStore = () => {
  tabs?.addEventListener("message", async ({ data: name }) => {
    const row = await rowOf(name);
    foreign = foreign.filter(([each]) => each !== name);
    if (!(await take(name, row)) && row) foreign.push([name, row]);
    changed();
  });
};

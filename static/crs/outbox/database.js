// Storage of the outbox in this browser, in IndexedDB. What may be read without a key is whose an entry is,
// when it was saved and how it stands; what was charted is sealed (store.js).

import { createStore, del, entries, get, set } from "../../vendor/idb-keyval/index.js";

const ANSWERS_WITHIN = 2_000; // a browser whose storage hangs must not stop the page

const table = "indexedDB" in globalThis ? createStore("crs-outbox", "entries") : null;

// `act` may throw at once, where the browser refuses its storage.
const within = (act, otherwise) =>
  Promise.race([
    (async () => act())().catch(() => otherwise),
    new Promise((resolve) => setTimeout(resolve, ANSWERS_WITHIN, otherwise)),
  ]);

// Returns [name, row] of every entry of every user, the oldest first; null where the storage cannot be read, as in
// some private windows.
export const readRows = async () => {
  const rows = table ? await within(() => entries(table), null) : null;
  return rows?.sort(([one, { at: first }], [other, { at: second }]) =>
    first - second || (one < other ? -1 : 1),
  ) ?? null;
};
export const allRows = async () => (await readRows()) ?? [];

export const rowOf = (name) => (table ? within(() => get(name, table), undefined) : undefined);

// Resolves to whether the row is stored.
export const putRow = (name, row) =>
  table ? within(() => set(name, row, table).then(() => true), false) : false;

export const deleteRow = (name) => (table ? within(() => del(name, table), undefined) : undefined);

const countOf = (count, state) => `${count} ${count === 1 ? "entry" : "entries"} ${state}`;

// Says how many entries wait: "2 entries unsent, 1 entry refused"; "" for none.
export const countWords = (unsent, refused) =>
  [unsent && countOf(unsent, "unsent"), refused && countOf(refused, "refused")].filter(Boolean).join(", ");

// Returns [{ user, by, unsent, refused }] of rows as allRows has them.
export const countsByUser = (rows) => {
  const found = new Map();
  for (const [name, { by, state }] of rows) {
    const user = name.split(":")[0];
    const counts = found.get(user) ?? { user, by, unsent: 0, refused: 0 };
    if (state in counts) counts[state] += 1;
    found.set(user, counts);
  }
  return [...found.values()].filter(({ unsent, refused }) => unsent + refused);
};

// Storage of drafts in this browser: one for each user and address of a form, encrypted with a key that the
// server gives to pages of that user alone. The page keeps key and drafts in its memory; what stands in the
// browser shows to others who typed how many values, and is dropped after a day.

import { now } from "../clock.js";
import { hasStorage, removeStored, store, stored, storedNames } from "../storage.js";

const PREFIX = "crs-draft:";
const KEEP_FOR = 24 * 60 * 60_000;
const LOOK_EVERY = 10 * 60_000;

export const { user, userName } = document.body.dataset;
const { unsentKey } = document.body.dataset;
delete document.body.dataset.unsentKey;
const PREFIX_OF_USER = `${PREFIX}${user}:`;

const toBytes = (text) => new TextEncoder().encode(text);
const toText = (bytes) => new TextDecoder().decode(bytes);
const toBase64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

// A browser encrypts over https and on localhost only. Elsewhere drafts stay in the memory of the page.
const importedKey = () =>
  crypto.subtle.importKey("raw", fromBase64(unsentKey), "AES-GCM", false, ["encrypt", "decrypt"]);
const key = unsentKey && globalThis.crypto?.subtle ? await importedKey() : null;

// False where what is typed is gone with the page.
export const outlivesPage = hasStorage && (key !== null || !unsentKey);

// Whether this page can encrypt for its user.
export const hasKey = Boolean(user) && key !== null;

// Encrypts `content`, which only the same `name` and key open again.
export const seal = async (name, content) => {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const how = { name: "AES-GCM", iv, additionalData: toBytes(name) };
  const data = await crypto.subtle.encrypt(how, key, toBytes(JSON.stringify(content)));
  return { iv: toBase64(iv), data: toBase64(new Uint8Array(data)) };
};

// Returns the content; null for what another key has sealed.
export const unseal = async (name, { iv, data }) => {
  try {
    const how = { name: "AES-GCM", iv: fromBase64(iv), additionalData: toBytes(name) };
    return JSON.parse(toText(await crypto.subtle.decrypt(how, key, fromBase64(data))));
  } catch {
    return null;
  }
};

const names = () => storedNames().filter((name) => name.startsWith(PREFIX));

// What anybody may read of a draft: its author, how many values, and when the last one was typed.
const readable = (name) => {
  try {
    const found = JSON.parse(stored(name));
    return found && Number.isFinite(found.at) && typeof found.by === "string" ? found : null;
  } catch {
    return null;
  }
};

const dropOld = () => {
  for (const name of names()) {
    const found = readable(name);
    if (!found || now() - found.at > KEEP_FOR) removeStored(name);
  }
};

// The drafts of the user by the address of their form: { name, draft, text, token, data, saved }. `data` is what is
// stored, with `token` in it; `saved` is { at, token } of one that its author saved at that time (markSaved).
const own = new Map();

// Only who has opened the draft knows its token: nobody else can mark it.
const markIn = ({ saved }, { token }) => (token && saved?.token === token && Number.isFinite(saved.at) ? saved : undefined);

const take = async (name) => {
  const found = key && name.startsWith(PREFIX_OF_USER) ? readable(name) : null;
  const opened = found && (await unseal(name, found));
  if (!opened) return;
  const before = own.get(opened.action);
  if (before && before.name !== name) {
    // Begun in two tabs at once: the one that was typed last stays.
    const older = before.draft.typedAt > opened.draft.typedAt ? name : before.name;
    removeStored(older);
    if (older === name) return;
  }
  const { action, draft, token } = opened;
  own.set(action, { name, draft, text: JSON.stringify(draft), token, data: found.data, saved: markIn(found, opened) });
};

dropOld();
for (const name of names()) await take(name);

export const draftOf = (action) => own.get(action)?.draft ?? null;

const write = async (action, kept, count) => {
  const { draft, token } = kept;
  const sealed = await seal(kept.name, { action, draft, token });
  if (own.get(action) !== kept) return; // typed on, or sent since
  kept.data = sealed.data;
  const row = JSON.stringify({ by: userName, at: draft.typedAt, count, saved: kept.saved, ...sealed });
  if (!store(kept.name, row)) removeStored(kept.name); // the storage is full: only the form has the values
};

// Encrypts at once: a page that is closed in a moment has no time for it any more. `done` is called once it is stored.
export const keepDraft = (action, draft, count, done = () => {}) => {
  if (!user) return;
  const before = own.get(action);
  const text = JSON.stringify(draft);
  if (before?.text === text) return;
  const name = before?.name ?? (key && `${PREFIX_OF_USER}${crypto.randomUUID()}`);
  const kept = { name, draft, text, token: key && crypto.randomUUID() };
  own.set(action, kept);
  if (key) write(action, kept, count).then(done);
};

// With `formId`: only the draft of that form, not one begun under the next id.
export const dropDraft = (action, formId = null) => {
  const kept = own.get(action);
  if (!kept || (formId && kept.draft.formId !== formId)) return;
  own.delete(action);
  if (kept.name) removeStored(kept.name);
};

const setMark = (kept, saved) => {
  kept.saved = saved;
  const row = kept.data && readable(kept.name);
  if (row?.data === kept.data) store(kept.name, JSON.stringify({ ...row, saved }));
};

// Marks the stored draft at once as saved by its author at `at`. The next key stores the changed draft without the mark.
export const markSaved = (action, at) => {
  const kept = own.get(action);
  if (kept?.name) setMark(kept, { at, token: kept.token });
};

export const unmarkSaved = (action, formId) => {
  const kept = own.get(action);
  if (kept?.saved && kept.draft.formId === formId) setMark(kept, undefined);
};

// Returns the drafts of the user that are marked as saved, as { action, draft, at }.
export const savedDrafts = () =>
  [...own].filter(([, { saved }]) => saved).map(([action, { draft, saved }]) => ({ action, draft, at: saved.at }));

// Returns the drafts of the user whose address begins with `start`, as [address, draft].
export const draftsUnder = (start) =>
  [...own].filter(([action]) => action.startsWith(start)).map(([action, { draft }]) => [action, draft]);

// Returns whose drafts this page cannot open, as { user, by, count }, one for each author.
export const unsentOfOthers = () => {
  const mine = new Set([...own.values()].map(({ name }) => name));
  const found = new Map();
  for (const name of names().filter((each) => !mine.has(each))) {
    const { by, count } = readable(name) ?? {};
    const author = name.slice(PREFIX.length).split(":")[0];
    if (by) found.set(author, { user: author, by, count: (found.get(author)?.count ?? 0) + (Number(count) || 1) });
  }
  return [...found.values()];
};

// Another tab has stored or dropped a draft.
const follow = async ({ key: name }) => {
  if (name !== null && !name.startsWith(PREFIX_OF_USER)) return;
  for (const [action, kept] of own) {
    if (kept.name && stored(kept.name) === null && (name === null || kept.name === name)) own.delete(action);
  }
  if (name !== null) await take(name);
};

export const watchDraftStore = () => {
  addEventListener("storage", follow);
  setInterval(dropOld, LOOK_EVERY);
};

// Storage of drafts in this browser: one for each user and address of a form. Those of another user are
// never read. A draft is dropped after a day, and all of a user when that user signs out.

import { now } from "../clock.js";

const PREFIX = "crs-draft:";
const SIGNING_OUT = "crs-signing-out";
const KEEP_FOR = 24 * 60 * 60_000;

const user = document.body.dataset.user;
const keyOf = (action) => `${PREFIX}${user}:${action}`;

const keys = (prefix) =>
  Array.from({ length: localStorage.length }, (_, place) => localStorage.key(place)).filter(
    (key) => key.startsWith(prefix),
  );

const parsed = (key) => {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
};

export const draftOf = (action) => (user ? parsed(keyOf(action)) : null);

// Where the storage is full, only the form has the values.
export const keepDraft = (action, draft) => {
  if (!user) return;
  try {
    localStorage.setItem(keyOf(action), JSON.stringify(draft));
  } catch {
    localStorage.removeItem(keyOf(action));
  }
};

// With `formId`: only the draft of that form, not one begun under the next id.
export const dropDraft = (action, formId = null) => {
  if (user && (!formId || draftOf(action)?.formId === formId)) {
    localStorage.removeItem(keyOf(action));
  }
};

// Returns the drafts of the user whose address begins with `start`, as [address, draft].
export const draftsUnder = (start) =>
  (user ? keys(keyOf(start)) : []).map((key) => [key.slice(keyOf("").length), parsed(key)]);

const dropOld = () => {
  for (const key of keys(PREFIX)) {
    const draft = parsed(key);
    if (!draft || now() - draft.typedAt > KEEP_FOR) localStorage.removeItem(key);
  }
};

// The request to sign out may fail: drafts are dropped on the first page without this user.
const wipeAfterSignOut = () => {
  const leaving = localStorage.getItem(SIGNING_OUT);
  if (!leaving) return;
  localStorage.removeItem(SIGNING_OUT);
  if (leaving === user) return;
  for (const key of keys(`${PREFIX}${leaving}:`)) localStorage.removeItem(key);
};

const askBeforeSignOut = (event) => {
  if (!event.target.matches("form[data-sign-out]")) return;
  const unsent = draftsUnder("").length;
  const question =
    `${unsent === 1 ? "One form was" : `${unsent} forms were`} typed and not saved. ` +
    "Signing out discards what was typed.";
  if (unsent && !window.confirm(question)) event.preventDefault();
  else localStorage.setItem(SIGNING_OUT, user);
};

export const watchDraftStore = () => {
  wipeAfterSignOut();
  dropOld();
  document.addEventListener("submit", askBeforeSignOut);
};

// Moves into the outbox what a page was saving when it died before the outbox had it. To seal and store an entry takes some
// milliseconds; at the tap its draft, which is stored already, is marked as saved. What nobody saved has no mark.

import { draftOf, dropDraft, markSaved, savedDrafts, unmarkSaved } from "../unsent/store.js";
import { dropReplaced, entryOf, keepMissing } from "./store.js";
import { contentSavedAt, sendsSame } from "./words.js";

// Call it when a form is sent at `at` with `content`. A draft that would send something else gets no mark, as one
// without the answer to a question.
export const markDraft = (action, formId, content, at) => {
  const draft = draftOf(action);
  if (draft?.formId === formId && draft.content && sendsSame(draft.content, content)) markSaved(action, at);
};

const move = async ({ action, draft, at }) => {
  const { formId, content, replaces, sentAt } = draft;
  const isStored = entryOf(formId) ? false : await keepMissing(formId, at, contentSavedAt(content, at, sentAt));
  if (isStored) {
    dropReplaced(replaces);
    dropDraft(action, formId);
  } else if (isStored === false) unmarkSaved(action, formId); // the outbox has it, or its form shows it as not sent
};

// The scripts of a page wait for it, so that no form shows the draft of what was saved.
for (const saved of savedDrafts()) await move(saved);

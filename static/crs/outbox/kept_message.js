// The message in the place of "Saved", where an entry is kept on the tablet; it changes when the entry is sent or refused.

import { element } from "../elements.js";
import { SENT, UNSENT, entryOf } from "./store.js";

const inWords = ({ title, words }) => words || title;

const show = (message, className, role, ...texts) => {
  message.className = `message ${className}`;
  message.setAttribute("role", role);
  const [headline, ...more] = texts;
  message.replaceChildren(element("strong", headline), ...more.flatMap((text) => [" ", element("span", text)]));
};

export const showKept = (message, formId) => {
  if (!message) return;
  const { content } = entryOf(formId);
  message.dataset.kept = formId;
  show(
    message, "message-kept", "alert", "Not graded. Kept on this tablet.", `${inWords(content)}. Time: ${content.when}.`,
    "Do not enter it again: it is sent by itself when the server answers.",
  );
};

const followKept = () => {
  for (const message of document.querySelectorAll("[data-kept]")) {
    const entry = entryOf(message.dataset.kept);
    if (!entry || entry.state === UNSENT) continue;
    if (entry.state === SENT) show(message, "message-saved", "status", "Saved", `Sent from this tablet: ${inWords(entry.content)}`);
    else show(message, "message-wrong", "alert", "Not saved", entry.content.reason);
    delete message.dataset.kept;
  }
};

export const watchKeptMessages = () => {
  document.body.addEventListener("crs:outbox", followKept);
};

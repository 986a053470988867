// Buttons that chart at once, without a form: an infusion unchanged or stopped, a question about risk or judgement,
// vital signs not observed. Without an answer of the server a tap waits in the outbox, with the time at which it was
// tapped. Answers to advice do not wait: they depend on the advice at the time at which they arrive.

import { now } from "../clock.js";
import { clockText } from "../site_time.js";
import { hasKey } from "../unsent/store.js";
import { isUnreachable } from "./answers.js";
import { showKept } from "./kept_message.js";
import { sendUnsent } from "./sender.js";
import { confirmEntry, dropEntry, entryOf, keepEntry, reserve } from "./store.js";
import { underWay } from "./strip.js";

export const TAP_FAILED = "crs:tap-failed"; // neither saved nor kept
const REFUSED_IN_WORDS = [409, 422]; // the response says why
const NOT_CONTENTS = ["csrfmiddlewaretoken", "form_id"];
const isTap = (elt) => elt?.matches?.("#guidance .task-actions button, #not-observed") ?? false;

// Whether a tap of this element waits where the server does not answer.
export const isKeptTap = (elt) => hasKey && isTap(elt);

const textOf = (element) => element?.textContent.replace(/\s+/g, " ").trim() ?? "";

const describeTap = (elt, submitter, at) => {
  const task = elt.closest(".task");
  return {
    title: task ? textOf(task.querySelector("p").firstChild) : elt.getAttribute("aria-label"),
    words: textOf(task ? elt : submitter),
    when: clockText(at),
    patient: textOf(document.querySelector(".patient-bar .who")),
    isTap: true,
  };
};

// The ids of taps that the server has not answered, by what they send: to tap again is to send the same again.
const ids = new Map();
const keyOf = (path, parameters) =>
  JSON.stringify([path, [...parameters].filter(([name]) => !NOT_CONTENTS.includes(name)).sort()]);

// A tap is sent under an id of its own, by which the outbox can ask for it, and with all that it says in its body.
const nameTap = ({ detail }) => {
  if (detail.verb !== "post" || !isKeptTap(detail.elt)) return;
  const { pathname, searchParams } = new URL(detail.path, location.href);
  for (const [name, value] of searchParams) detail.parameters.set(name, value);
  detail.path = pathname;
  const key = keyOf(pathname, detail.formData);
  if (!ids.has(key)) ids.set(key, crypto.randomUUID());
  detail.parameters.set("form_id", ids.get(key));
};

const messageOf = (elt) => elt.querySelector("[data-quick-message]") ?? document.getElementById("guidance-message");

const followTap = ({ detail: { elt, requestConfig, xhr } }) => {
  if (requestConfig.verb !== "post" || !isKeptTap(elt)) return;
  const at = now();
  const { formData, path, triggeringEvent } = requestConfig;
  const formId = formData.get("form_id");
  const key = keyOf(path, formData);
  const fields = [...formData].filter(([name]) => name !== "csrfmiddlewaretoken");
  fields.push(["sent_at", new Date(at).toISOString()]);
  const isStored = keepEntry(formId, at, { path, fields, ...describeTap(elt, triggeringEvent?.submitter, at) });
  const [release, arrived] = [reserve(formId), underWay(formId)];
  xhr.addEventListener("loadend", async () => {
    const isSaved = xhr.status === 200 && xhr.getResponseHeader("CRS-Stored") === "yes";
    const isKept = !isSaved && isUnreachable(xhr) && (await isStored);
    if (isSaved) confirmEntry(entryOf(formId));
    else if (isKept) showKept(messageOf(elt), formId);
    else {
      dropEntry(entryOf(formId));
      if (!REFUSED_IN_WORDS.includes(xhr.status)) {
        elt.dispatchEvent(new CustomEvent(TAP_FAILED, { bubbles: true, detail: { xhr } }));
      }
    }
    if (isSaved || isKept || (xhr.status > 0 && xhr.status < 500)) ids.delete(key);
    release();
    arrived();
    if (isSaved || isKept) sendUnsent();
  });
};

export const watchTaps = () => {
  document.body.addEventListener("htmx:configRequest", nameTap);
  document.body.addEventListener("htmx:beforeRequest", followTap);
};

// Forms of the other kinds, fetched ahead while the server answers and shown while it does not. They stay in the
// memory of this page: no storage of the browser and no cache has them.

import { now } from "../clock.js";
import { POLL_HEADER } from "../poll_header.js";
import { allowSentAhead, inertDocument } from "../trusted_types.js";
import { isAnsweredBy } from "../request_id.js";
import { hasKey } from "../unsent/store.js";

const { keptForms: address, keptFormsAfter: after } = document.getElementById("live")?.dataset ?? {};
const AGAIN_AFTER = 60 * 60_000;
const IDLE_WITHIN = 5_000;
const FORM = /^\/courses\/[0-9a-f-]{36}\/entries\/([a-z_]+)\/$/;

let forms = {};
let fetchedAt = null;

const fetchForms = async () => {
  const headers = { "HX-Request": "true", [POLL_HEADER]: "yes" };
  const response = await fetch(address, { headers, cache: "no-store" }).catch(() => null);
  if (!response?.ok || !isAnsweredBy(response)) return;
  fetchedAt = Date.now();
  ({ forms } = await response.json());
};

const whenIdle = (act) => ("requestIdleCallback" in globalThis ? requestIdleCallback(act, { timeout: IDLE_WITHIN }) : act());

// Each form that is shown is a new one: it has an id of its own, and is opened now.
const renewedHtml = (html) => {
  const section = inertDocument(html).getElementById("entry-form");
  for (const input of section.querySelectorAll("input[name=form_id]")) input.setAttribute("value", crypto.randomUUID());
  for (const input of section.querySelectorAll("input[name=opened_at]")) {
    input.setAttribute("value", new Date(now()).toISOString());
  }
  return section.outerHTML;
};

const kindOf = (path) => FORM.exec(new URL(path, location.href).pathname)?.[1];

// Shows the form at `path` in the place of the present one, as a response would; returns whether there was one.
export const showKeptForm = (path, elt) => {
  const html = forms[kindOf(path)];
  const target = document.getElementById("entry-form");
  if (!html || !target) return false;
  const xhr = new XMLHttpRequest(); // as of a request that was never sent
  const eventInfo = { elt, target, xhr, requestConfig: { elt, verb: "get", path } };
  target.dispatchEvent(new CustomEvent("htmx:beforeSwap", { bubbles: true, detail: { ...eventInfo, shouldSwap: true } }));
  const form = renewedHtml(html);
  allowSentAhead(form, () => {
    globalThis.htmx.swap(target, form, { swapStyle: "outerHTML" }, { eventInfo, contextElement: elt });
  });
  return true;
};

export const watchKeptForms = () => {
  if (!address || !hasKey) return;
  setTimeout(() => whenIdle(fetchForms), Number(after));
  document.body.addEventListener("htmx:afterRequest", ({ detail: { requestConfig, successful } }) => {
    const isOld = fetchedAt !== null && !document.hidden && Date.now() - fetchedAt > AGAIN_AFTER;
    if (requestConfig?.elt.id === "live" && successful && isOld) fetchForms();
  });
};

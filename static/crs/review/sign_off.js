// Keeps the sign-off panel in step with the cursor, with the clock and with other reviewers. What is
// typed in its form stays, and nothing is signed on a page that may be old.

import { POLL_HEADER } from "../poll_header.js";
import { requestWords } from "../request_id.js";

const SHOWN = ["form_id", "start", "end", "known_at", "computed", "seen"]; // what the form shows
const TYPED = ["stated", "reason", "words"];
const CANNOT = "Cannot sign: page is not up to date";
const NOT_SENT = "Not signed: no answer came. Press Sign again: nothing is signed twice.";

const { body } = document;
const panel = () => document.getElementById("sign-off");
const form = () => panel()?.querySelector("form") ?? null;
const value = (name) => form()?.elements.namedItem(name)?.value ?? "";
const isPanel = (elt) => elt?.id === "sign-off";

let isMoving = false; // whether the panel was asked for another period
let cursor = null; // the instant of the cursor, where another period than the shown one is asked for

const isTyped = () => value("verdict") === "another" && TYPED.some((name) => value(name) !== "");

const isInForm = (at) => {
  if (!form()) return false;
  const end = value("end");
  const time = Date.parse(at);
  return Date.parse(value("start")) <= time && (end === "" || time < Date.parse(end));
};

const addParameters = ({ detail }) => {
  if (!isPanel(detail.elt)) return;
  detail.headers[POLL_HEADER] = "yes";
  detail.parameters.set("signature", panel().dataset.signature);
  const at = cursor ?? panel().dataset.at;
  if (at) detail.parameters.set("at", at);
  isMoving = cursor !== null;
  if (cursor === null && form()) for (const name of SHOWN) detail.parameters.set(name, value(name));
};

const show = (at) => {
  cursor = at;
  window.htmx.trigger(panel(), "crs:cursor");
  cursor = null;
};

// The page tells by its address where the cursor stands.
const followCursor = () => {
  const at = new URL(location.href).searchParams.get("at");
  if (!panel()?.dataset.signature || !at) return;
  const elsewhere = panel().querySelector("[data-elsewhere]");
  if (isInForm(at)) {
    elsewhere.hidden = true;
  } else if (isTyped()) {
    elsewhere.hidden = false;
  } else show(at);
};

let typed = null;
const keepTyped = () => {
  typed = isTyped() && !isMoving ? Object.fromEntries(TYPED.map((name) => [name, value(name)])) : null;
};
const restoreTyped = () => {
  if (!typed || !form()) return;
  form().elements.namedItem("verdict").value = "another";
  for (const name of TYPED) form().elements.namedItem(name).value = typed[name];
};

// Off while the page may be old.
const guard = () => {
  const button = form()?.querySelector("[type=submit]");
  if (!button) return;
  button.dataset.words ??= button.textContent;
  const isOld = "connection" in body.dataset || body.dataset.pageAge === "old";
  button.disabled = isOld;
  button.textContent = isOld ? CANNOT : button.dataset.words;
};

const swapped = () => {
  restoreTyped();
  guard();
  body.dispatchEvent(new Event("crs:signed"));
};

const isSigning = ({ elt, requestConfig }) =>
  (requestConfig?.verb ?? "") === "post" && Boolean(elt?.closest?.("#sign-off"));

// A refusal takes the place of the panel, with what was typed.
const onRefusal = (event) => {
  const { xhr } = event.detail;
  if (!isSigning(event.detail) || ![409, 422].includes(xhr.status)) return;
  event.preventDefault();
  event.stopPropagation();
  window.htmx.swap(panel(), xhr.responseText, { swapStyle: "outerHTML" }, { afterSwapCallback: () => {
    swapped();
    (form()?.querySelector("[aria-invalid=true]") ?? document.getElementById("sign-off-title")).focus();
  } });
};

const onNoAnswer = (event) => {
  if (!isSigning(event.detail) || !form()) return;
  form().querySelector("[data-not-sent]")?.remove();
  const message = document.createElement("p");
  message.className = "message message-wrong";
  message.dataset.notSent = "";
  message.setAttribute("role", "alert");
  message.textContent = `${NOT_SENT} ${requestWords(event.detail.xhr)}`.trim();
  form().prepend(message);
};

body.addEventListener("htmx:configRequest", addParameters);
body.addEventListener("htmx:beforeOnLoad", onRefusal, true);
body.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (isPanel(detail.target)) keepTyped();
});
body.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target?.id === "at-cursor") followCursor();
  if (isPanel(detail.target)) swapped();
});
for (const wrong of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) body.addEventListener(wrong, onNoAnswer);
body.addEventListener("click", ({ target }) => {
  if (target.closest("[data-show-cursor]")) show(new URL(location.href).searchParams.get("at"));
});
new MutationObserver(guard).observe(body, { attributeFilter: ["data-connection", "data-page-age"] });
guard();

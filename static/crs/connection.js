// Shows at once that there is no connection: on the page, and under each control that needs one. Save
// keeps what was typed and has a message of its own.

import { showKeptForm } from "./bedside/kept_forms.js";
import { now, requestUpdate } from "./clock.js";
import { element } from "./elements.js";
import { statusOf } from "./foreign_pages.js";
import { NOT_REACHED } from "./outbox/answers.js";
import { isAnswered } from "./request_id.js";
import { clockText } from "./site_time.js";
import { outlivesPage } from "./unsent/store.js";

const POLL_AGAIN_AFTER = 15_000;
const POLLS = ["live", "board", "sign-off", "locked"];

const KEPT = outlivesPage
  ? "What you save is kept on this tablet and sent when the connection is back."
  : "What you type is kept: save it again when the connection is back.";

const notice = () => document.getElementById("connection");

let heardAt = now();
let retry;

const show = (parts, isSignedOut = false) => {
  document.body.dataset.connection = isSignedOut ? "signed-out" : "lost";
  document.body.dispatchEvent(new Event("crs:connection"));
  const text = parts.map((part) => part.textContent).join(" ");
  if (!notice() || notice().textContent === text) return;
  notice().hidden = false;
  notice().replaceChildren(...parts.flatMap((part) => [part, " "]).slice(0, -1));
};

const lost = (what = "No connection") => {
  if (document.body.dataset.connection === "signed-out") return;
  show([
    element("strong", `${what} since ${clockText(heardAt)}.`),
    element("span", "What you see may be old."),
    element("span", KEPT, { className: "connection-kept" }),
  ]);
  clearTimeout(retry);
  retry = setTimeout(requestUpdate, POLL_AGAIN_AFTER);
};

const signedOut = () => {
  const here = encodeURIComponent(location.pathname + location.search);
  show(
    [
      element("strong", "You have been signed out."),
      element("span", `What you see may be old. ${outlivesPage ? "What you typed is kept." : "What you typed is lost when you leave."}`),
      element("a", "Sign in and come back", { href: `${document.body.dataset.signIn}?next=${here}` }),
    ],
    true,
  );
  document.body.dispatchEvent(new Event("crs:answered")); // the lock that waited for an answer closes
};

const heard = () => {
  const wasLost = document.body.dataset.connection !== undefined;
  heardAt = now();
  clearTimeout(retry);
  delete document.body.dataset.connection;
  if (wasLost) {
    document.body.dispatchEvent(new Event("crs:connection"));
    document.body.dispatchEvent(new Event("crs:answered"));
  }
  if (notice()) {
    notice().hidden = true;
    notice().replaceChildren();
  }
  for (const hint of document.querySelectorAll("[data-needs-connection]")) hint.remove();
};

const isPoll = (elt) => POLLS.includes(elt?.id);
// A part of the page that sends its own requests: nobody tapped it, and it shows itself that it could not be loaded.
const asksItself = (elt) => isPoll(elt) || elt?.dataset?.asksItself !== undefined;

const onResponse = ({ detail: { requestConfig, xhr } }) => {
  if (!xhr?.status) return;
  const polls = isPoll(requestConfig?.elt);
  if (!isAnswered(xhr)) {
    if (polls) lost("No update");
  } else if (xhr.status === 401 && asksItself(requestConfig?.elt)) signedOut();
  else if (asksItself(requestConfig?.elt) && !polls) return; // only the poll says how old the page is
  else if (xhr.status < 400 || (xhr.status < 500 && !polls)) heard();
  else if (polls) lost("No update");
};

const NEEDED_BY = "[data-entry], [data-quick-actions], #guidance, #sign-off"; // a POST of these says so itself

const says = (elt, text) => {
  const control = elt.matches("form") ? elt : (elt.closest(".tabs") ?? elt);
  let hint = control.nextElementSibling;
  if (!hint?.matches("[data-needs-connection]")) {
    hint = element("p", "", { className: "needs-connection", role: "status" });
    hint.dataset.needsConnection = "";
    control.after(hint);
  }
  hint.textContent = text;
};
const sayNeeded = (elt) => {
  says(elt, "Needs the connection. Your entries are safe.");
  // The list shows again what the timeline shows.
  for (const list of elt.querySelectorAll?.("select") ?? []) {
    list.value = [...list.options].find(({ defaultSelected }) => defaultSelected)?.value ?? "";
  }
};

// A form that was fetched ahead is shown; what else was tapped needs the server.
const showOrSayNeeded = ({ elt, requestConfig: { elt: asked, path, verb } }) => {
  if (verb !== "get" || !showKeptForm(path, asked)) sayNeeded(elt);
};

const isTap = ({ elt, verb, requestConfig }) => {
  const asked = requestConfig?.elt ?? elt;
  const by = requestConfig?.verb ?? verb;
  return asked && !asksItself(asked) && (by === "get" || !asked.closest(NEEDED_BY));
};

const beforeRequest = (event) => {
  if (navigator.onLine || !isTap(event.detail)) return;
  event.preventDefault();
  lost();
  showOrSayNeeded(event.detail);
};

const onFailure = (event) => {
  const elt = event.detail.requestConfig?.elt;
  const status = statusOf(event.detail.xhr);
  if (status === 0) lost();
  if (!isTap(event.detail) || !elt?.isConnected) return;
  if (status === 0 || NOT_REACHED.includes(status)) showOrSayNeeded(event.detail);
  else if (status >= 400 && event.detail.requestConfig.verb === "get") {
    says(elt, "The server could not answer. Try again.");
  }
};

export const watchConnection = () => {
  addEventListener("offline", () => lost());
  addEventListener("online", requestUpdate);
  if (!navigator.onLine) lost();
  document.body.addEventListener("htmx:beforeRequest", beforeRequest);
  document.body.addEventListener("htmx:afterRequest", onResponse);
  for (const wrong of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    document.body.addEventListener(wrong, onFailure);
  }
};

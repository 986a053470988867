// A page that was opened before the site was updated has the scripts and forms of before, and loads again. Where
// somebody may be typing it says so; a wall screen, on which nobody types and which nobody closes, does it by itself.

import { outlivesPage } from "./unsent/store.js";

const VERSION = "CRS-Version";
const { version } = document.body.dataset;
const element = (tag, text, more = {}) => Object.assign(document.createElement(tag), { textContent: text, ...more });
let isNoticed = false;

const say = () => {
  const reload = element("button", "Reload the page", { type: "button", className: "btn btn-quiet" });
  reload.addEventListener("click", () => location.reload());
  const kept = outlivesPage ? "What you typed is kept." : "What you typed is lost by it: save it first.";
  const notice = element("p", "", { className: "message message-warn" });
  notice.dataset.oldPage = "";
  notice.setAttribute("role", "status");
  notice.append(element("strong", "The site was updated after this page was opened."), ` ${kept} `, reload);
  document.getElementById("outbox").before(notice);
};

const compare = ({ detail: { xhr } }) => {
  const there = xhr.getResponseHeader(VERSION);
  if (!there || there === version || isNoticed) return;
  isNoticed = true;
  if (document.body.matches(".wall-page")) location.reload();
  else say();
};

export const watchPageVersion = () => document.body.addEventListener("htmx:afterRequest", compare);

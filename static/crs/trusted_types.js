// Trusted Types: the browser lets a text become markup, or the address of a script, only by the policies below, which
// security_headers.py names. Text that a user typed, or that a script put together, is refused.
//
// htmx hands each answer to the browser's parser as a text. The policy "default" lets it through where it is, letter
// by letter, the answer of this server to a request that htmx has under way.

const HEAD = /<head(\s[^>]*)?>[\s\S]*?<\/head>/i; // as htmx leaves it out
const PANTRY = "<div id='--htmx-preserve-pantry--'></div>"; // where htmx keeps an element with hx-preserve
const WORKER = "/worker.js";

const FRAMES = "iframe, frame, object, embed";
const ADDRESSES = new Set(["href", "xlink:href", "src", "action", "formaction", "data"]);

// A browser without Trusted Types asks no policy.
const types = window.trustedTypes ?? { createPolicy: (_name, rules) => rules };

const inert = types.createPolicy("crs-inert", { createHTML: (html) => html });

// Returns a document that is never shown, and so loads and runs nothing.
export const inertDocument = (html) => new DOMParser().parseFromString(inert.createHTML(html), "text/html");

const worker = types.createPolicy("crs-worker", {
  createScriptURL: (address) => {
    if (address === WORKER) return address;
    throw new TypeError(`The service worker is ${WORKER}, not ${address}.`);
  },
});

// Returns the address of the service worker, which the browser runs.
export const workerAddress = (address) => worker.createScriptURL(address);

const isCode = ({ name, value }) =>
  name.startsWith("on") ||
  name === "srcdoc" ||
  // A browser reads over blanks and control characters in an address.
  (ADDRESSES.has(name) && /^javascript:/i.test(value.replace(/[\u0000-\u0020]/g, "")));

// Removes what could run, also within <template>. Returns whether there was any. Scripts are removed by htmx.
const removeCode = (root) => {
  let hasCode = false;
  for (const element of root.querySelectorAll("*")) {
    if (element.matches(FRAMES)) {
      element.remove();
      hasCode = true;
    }
    for (const attribute of [...element.attributes].filter(isCode)) {
      element.removeAttributeNode(attribute);
      hasCode = true;
    }
    if (element instanceof HTMLTemplateElement && removeCode(element.content)) hasCode = true;
  }
  return hasCode;
};

// What could run is removed and the rest is shown: a refused answer to a save would hide that the entry is stored.
const withoutCode = (html) => {
  const parsed = inertDocument(html);
  return removeCode(parsed) ? parsed.documentElement.outerHTML : html;
};

const underWay = new Set();
const sentAhead = new Set();

// Returns whether `text` is the whole answer, as it was sent or as htmx hands it to the parser.
const isOf = (answer, text) => {
  const part = answer.replace(HEAD, "");
  const wrapped = `<body><template class="internal-htmx-wrapper">${part}</template></body>`;
  return [answer, part, wrapped].includes(text);
};

const isAnswer = (text) =>
  [...sentAhead].some((html) => isOf(html, text)) ||
  [...underWay].some(
    ({ readyState, responseText, responseURL }) =>
      readyState === XMLHttpRequest.DONE && new URL(responseURL).origin === location.origin && isOf(responseText, text),
  );

// Calls `show`, in which htmx may put `html` on the page: a part that this server sent ahead of any request for it.
export const allowSentAhead = (html, show) => {
  sentAhead.add(html);
  try {
    show();
  } finally {
    sentAhead.delete(html);
  }
};

types.createPolicy("default", {
  createHTML: (text) => {
    if (text === PANTRY) return text;
    return isAnswer(text) ? withoutCode(text) : null; // null: the browser refuses and reports it
  },
});

// Before the request, for its element may have left the page when the answer comes.
document.addEventListener(
  "htmx:beforeSend",
  ({ detail: { xhr } }) => {
    underWay.add(xhr);
    xhr.addEventListener("loadend", () => underWay.delete(xhr));
  },
  true,
);

// Links and buttons that send a request to their own address by htmx. The address stands once in the page, where a
// browser without scripts finds it too.

const IN_PLACE_OF_THE_FORM = { target: "#entry-form", swap: "outerHTML show:#entry-form:top" };

const isForAnotherTab = ({ button, ctrlKey, metaKey, shiftKey }) => button !== 0 || ctrlKey || metaKey || shiftKey;

// The promise of a failed request is ignored: htmx reports the failure by its events, as for every other request.
const send = (verb, address, source, event, context) => {
  event.preventDefault();
  globalThis.htmx.ajax(verb, address, { source, event, ...context })?.catch(() => {});
};

const onClick = (event) => {
  if (event.defaultPrevented || isForAnotherTab(event)) return;
  const link = event.target.closest?.("a[data-form-link]");
  const answer = event.target.closest?.("#guidance button[formaction]");
  if (link) send("get", link.getAttribute("href"), link, event, IN_PLACE_OF_THE_FORM);
  else if (answer) send("post", answer.getAttribute("formaction"), answer, event);
};

export const watchRequests = () => document.addEventListener("click", onClick);

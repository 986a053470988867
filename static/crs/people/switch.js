// The page that switches the user of a tablet: a name and four digits, of which the last one sends.

const DIGITS = 4;
const form = () => document.querySelector("form[data-switch]");
const input = () => form()?.elements.pin;
const chosen = () => form()?.querySelector("[name=who]:checked");

// A pad for fingers takes the place of the keyboard on the screen; that of a desk still types.
const show = () => {
  const pad = form()?.querySelector("[data-pad][hidden]");
  if (!pad) return;
  pad.hidden = false;
  input().inputMode = "none";
  if (chosen()) input().focus();
};

const sendWhenComplete = () => {
  if (input().value.length < DIGITS || form().dataset.isSent) return;
  if (!chosen()) {
    form().querySelector("[data-chosen]").textContent = "Choose your name first";
    input().value = "";
    return;
  }
  form().dataset.isSent = "yes"; // a fifth digit sends nothing a second time
  form().requestSubmit(form().querySelector(".save-row button"));
};

const press = (key) => {
  const before = input().value;
  if ("clear" in key) input().value = "";
  else if ("delete" in key) input().value = before.slice(0, -1);
  else input().value = (before + key.digit).slice(0, DIGITS);
  sendWhenComplete();
};

// The page that is shown now, not the one that the other link was made on.
const setNext = (link) => {
  const address = new URL(link.href);
  address.searchParams.set("next", location.pathname + location.search);
  link.href = address;
};

export const watchSwitch = () => {
  show();
  document.body.addEventListener("htmx:afterSettle", show);
  document.addEventListener("click", (event) => {
    const key = event.target.closest("form[data-switch] [data-pad] button");
    if (key) press(key.dataset);
    const link = event.target.closest("a[data-switch-link]");
    if (link) setNext(link);
  });
  document.addEventListener("input", (event) => {
    if (event.target === input()) sendWhenComplete();
  });
  document.addEventListener("change", (event) => {
    if (!event.target.matches("form[data-switch] [name=who]")) return;
    form().querySelector("[data-chosen]").textContent = event.target.dataset.name;
    input().value = "";
    input().focus();
  });
  addEventListener("pageshow", () => {
    if (!input()) return;
    delete form().dataset.isSent;
    input().value = "";
  });
};

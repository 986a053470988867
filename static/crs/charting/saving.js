// Shows on the button that a save is under way, without changing its width.

const STILL_AFTER = 2_000;

const showSaving = ({ detail: { elt: form, requestConfig, xhr } }) => {
  if (!form.matches?.("form[data-entry]") || requestConfig.verb !== "post") return;
  const pressed = requestConfig.triggeringEvent?.submitter ?? form.querySelector("#save");
  if (!pressed) return;
  const words = pressed.textContent;
  pressed.style.minWidth = `${pressed.offsetWidth}px`;
  pressed.textContent = "Saving…";
  const still = setTimeout(() => {
    pressed.textContent = "Still saving…";
  }, STILL_AFTER);
  xhr.addEventListener("loadend", () => {
    clearTimeout(still);
    pressed.textContent = words;
    pressed.style.minWidth = "";
  });
};

export const watchSaving = () => {
  document.body.addEventListener("htmx:beforeRequest", showSaving);
};

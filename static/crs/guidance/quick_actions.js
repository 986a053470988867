// One-tap rows beside a form: a tap that did not arrive says so where it was tapped.

const WHY = {
  0: "There is no connection.",
  401: "You have been signed out: sign in again.",
  403: "You may not do this, or have signed in anew elsewhere.",
};

const failed = (event) => {
  const row = event.target.closest?.("form[data-taps]");
  if (!row) return;
  const why = WHY[event.detail.xhr?.status ?? 0] ?? "The server could not save it.";
  const message = row.querySelector("[data-tapped]");
  message.className = "message message-wrong";
  message.setAttribute("role", "alert");
  message.textContent = `Not saved. ${why} Tap again.`;
};

export const watchTaps = () => {
  for (const wrong of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    document.body.addEventListener(wrong, failed);
  }
};

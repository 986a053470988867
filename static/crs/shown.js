// Each POST says what its page shows: the signature of the guidance panel and the kind of the
// timeline. The answer leaves out what the page shows already, and places new rows of the timeline.

export const SHOWN = "CRS-Shown";

const sendWhatIsShown = ({ detail: { headers, verb } }) => {
  const guidance = document.getElementById("guidance")?.dataset.signature;
  if (verb !== "post" || !guidance) return;
  const kind = document.getElementById("timeline-kind")?.value ?? "";
  headers[SHOWN] = `guidance=${guidance}; timeline=${kind}`;
};

export const watchShown = () => {
  document.body.addEventListener("htmx:configRequest", sendWhatIsShown);
};

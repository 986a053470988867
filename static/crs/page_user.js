// Leaves the page of a user who is no longer the one of this browser: another tab has opened a page of somebody else,
// or the sign-in page. What was typed here is kept as a draft of its author; the page is loaded again. A page that comes
// back from the memory of the browser (Back) is loaded again too: its session may have been locked or ended.

const { user = "", worker, signIn } = document.body.dataset;
const tabs = "BroadcastChannel" in window ? new BroadcastChannel("crs-user") : null;

const loadAgain = () => location.replace(location.pathname + location.search);

const neverShownFromMemory = () => {
  addEventListener("pagehide", ({ persisted }) => {
    document.body.hidden = persisted;
  });
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) loadAgain();
  });
};

export const watchPageUser = () => {
  if (user) neverShownFromMemory();
  if (user && !worker) return; // launched by a health record: its cookies are of a jar of its own
  if (!user && location.pathname !== signIn) return; // a page that does not know who is signed in
  tabs?.postMessage(user);
  if (!user) return;
  tabs?.addEventListener("message", ({ data }) => {
    if (data !== user) loadAgain();
  });
};

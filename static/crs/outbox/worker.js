// Registers the service worker that shows the shell where a page cannot be loaded.

export const watchWorker = () => {
  const { worker } = document.body.dataset;
  if (!worker || !("serviceWorker" in navigator)) return;
  const register = () => {
    // Where it is refused, as on an address without https, the browser shows its own page.
    navigator.serviceWorker.register(worker, { updateViaCache: "none" }).catch(() => {});
    navigator.storage?.persist?.();
  };
  if (document.readyState === "complete") register();
  else addEventListener("load", register);
};

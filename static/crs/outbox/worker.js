// Registers the service worker that shows the shell where a page cannot be loaded.

import { workerAddress } from "../trusted_types.js";

export const watchWorker = () => {
  const { worker } = document.body.dataset;
  if (!worker || !("serviceWorker" in navigator)) return;
  const register = () => {
    // Where it is refused, as on an address without https, the browser shows its own page.
    navigator.serviceWorker.register(workerAddress(worker), { updateViaCache: "none" }).catch(() => {});
    navigator.storage?.persist?.();
  };
  if (document.readyState === "complete") register();
  else addEventListener("load", register);
};

// What this browser keeps of a page. It may refuse: its user has blocked that, or it is full. A page then charts on,
// and what it would have kept is lost with it.

const unlessRefused = (open) => {
  try {
    return open() ?? null;
  } catch {
    return null;
  }
};
const ofBrowser = unlessRefused(() => localStorage);
const ofTab = unlessRefused(() => sessionStorage);

const put = (storage, name, text) => {
  try {
    storage.setItem(name, text);
    return true;
  } catch {
    return false;
  }
};

// Whether the browser keeps anything at all.
export const hasStorage = ofBrowser !== null;

export const stored = (name) => ofBrowser?.getItem(name) ?? null;
export const storedNames = () => Array.from({ length: ofBrowser?.length ?? 0 }, (_, place) => ofBrowser.key(place));
// Returns whether it is stored.
export const store = (name, text) => put(ofBrowser, name, text);
export const removeStored = (name) => ofBrowser?.removeItem(name);

// Of this tab alone.
export const storedInTab = (name) => ofTab?.getItem(name) ?? null;
export const storeInTab = (name, text) => put(ofTab, name, text);

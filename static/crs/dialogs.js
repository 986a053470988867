// Opens a dialog, and after it is closed lets Tab continue at the element that the user used last. The browser
// returns the focus to the element that had it. Where no element had it, or the page has replaced that element, Tab
// would continue at the dialog, which is the last part of its page.

const { body } = document;

const hasFocus = () => document.activeElement !== body;

// Returns the element whose text was tapped last: without a focus, Tab continues there.
const tapped = () => getSelection()?.anchorNode?.parentElement ?? null;

// The parts of the page around an element, the smallest first: one that was replaced has the same id again.
const idsAround = (element) => (element ? [element.id, ...idsAround(element.parentElement)].filter(Boolean) : []);
const firstOf = (ids) => ids.map((id) => document.getElementById(id)).find(Boolean);

// Makes Tab go on from `element`, or from the start of the page, without the frame of a focus.
const startTabAt = (element) => {
  const mark = document.createElement("span");
  mark.tabIndex = -1;
  (element ?? body).prepend(mark);
  mark.focus({ preventScroll: true });
  mark.remove();
};

export const openDialog = (dialog) => {
  const place = hasFocus() ? document.activeElement : tapped();
  const ids = idsAround(place);
  const onClose = () => {
    // Chromium takes the focus out of the closed dialog only later.
    if (!hasFocus() || dialog.contains(document.activeElement)) startTabAt(place?.isConnected ? place : firstOf(ids));
  };
  dialog.addEventListener("close", onClose, { once: true });
  dialog.showModal();
};

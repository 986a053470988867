// Opens a dialog after which Tab goes on from where the user was. The browser returns the focus by itself to the
// element that had it. Where none had it, or its element was replaced meanwhile, Tab would go on from the dialog,
// which is the last part of its page.

const { body } = document;

const hasFocus = () => document.activeElement !== body;

// Where Tab goes on without a focus: from the text that was tapped last.
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

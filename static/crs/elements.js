// Makes elements and writes texts.

// Returns a new element with a text; `more` are further properties.
export const element = (tag, text, more = {}) =>
  Object.assign(document.createElement(tag), { textContent: text, ...more });

// Writes a text where it differs, so that a screen reader does not read it again.
export const setText = (place, text) => {
  if (place.textContent !== text) place.textContent = text;
};

// The controls of an entry form, and which of them somebody has filled in.

export const isChoice = (control) => control.matches("[type=checkbox], [type=radio]");
export const controls = (form) =>
  [...form.elements].filter((element) => element.name && !element.matches("[type=hidden], button"));

export const isUnit = (control) => control.matches(".measure input ~ select");
export const hasValue = (control) => {
  if (isChoice(control)) return control.checked;
  if (control.matches("select")) return control.selectedIndex > 0 && !isUnit(control);
  return control.value !== "";
};

// A choice that every form has from the start: nobody typed it.
export const isPreset = (control) =>
  isChoice(control) && (control.value === "" || (control.name.startsWith("attribution") && control.value === "crs"));

// The laboratory form: fills in the remembered limits of normal for the laboratory and the unit, and
// sets "<" or ">" by a button. Without this file they are typed.

const SIGNS = ["", "<", ">"];
const OTHER_SIGNS = /^\s*[<>]?\s*/;

const inputsOf = (row) => [...row.querySelectorAll(".lab-limits input")];

const unitOf = (row) =>
  row.querySelector("select")?.value ?? row.querySelector(".unit").textContent.trim();

// An analyte with a fixed unit has no select: its remembered limits have that one unit.
const rememberedFor = (row, known) => {
  const byUnit = known?.[row.dataset.analyte] ?? {};
  const only = row.querySelector("select") ? null : Object.values(byUnit)[0];
  return only ?? byUnit[unitOf(row)] ?? ["", "", ""];
};

const laboratoryOf = (panel) => {
  const typed = panel.querySelector("[name=laboratory]").value.trim().replace(/\s+/g, " ");
  const names = Object.keys(JSON.parse(panel.dataset.remembered));
  return names.find((name) => name.toLowerCase() === typed.toLowerCase()) ?? typed;
};

const propose = (row, [lower, upper, source]) => {
  const [low, high] = inputsOf(row);
  low.value = lower;
  high.value = upper;
  row.querySelector("[data-limits-source]").textContent = source;
  delete row.dataset.typed;
};

const rememberedAt = (panel) => JSON.parse(panel.dataset.remembered)[laboratoryOf(panel)];

// Limits that were typed stay when the laboratory changes.
const onLaboratoryChange = (panel) => {
  const known = rememberedAt(panel);
  for (const row of panel.querySelectorAll(".lab-row:not([data-typed])")) {
    const unit = row.querySelector("select");
    if (unit?.value === "") unit.value = Object.keys(known?.[row.dataset.analyte] ?? { "": 0 })[0];
    propose(row, rememberedFor(row, known));
  }
  panel.querySelector("[name=proposed_for]").value = laboratoryOf(panel);
};

// Typed limits are replaced when the unit changes, but stay when the first unit is chosen.
const onUnitChange = (panel, select) => {
  const row = select.closest(".lab-row");
  const before = select.dataset.before ?? select.querySelector("[selected]")?.value ?? "";
  select.dataset.before = select.value;
  if (before || !row.matches("[data-typed]")) propose(row, rememberedFor(row, rememberedAt(panel)));
};

const showSign = (row) => {
  const sign = row.querySelector("[data-result]").value.trim()[0];
  const button = row.querySelector("[data-comparator]");
  const known = SIGNS.includes(sign) && sign;
  button.textContent = known || "< >";
  button.classList.toggle("is-set", Boolean(known));
};

const nextSign = (row) => {
  const input = row.querySelector("[data-result]");
  const sign = input.value.trim()[0] ?? "";
  const following = SIGNS[(SIGNS.indexOf(SIGNS.includes(sign) ? sign : "") + 1) % SIGNS.length];
  input.value = following + input.value.replace(OTHER_SIGNS, "");
  input.focus();
  showSign(row);
};

const showSignButtons = (root = document) => {
  for (const button of root.querySelectorAll("[data-comparator]")) {
    button.hidden = false;
    showSign(button.closest(".lab-row"));
  }
};

export const watchLabs = () => {
  showSignButtons();
  document.addEventListener("change", (event) => {
    const panel = event.target.closest(".lab-panel");
    if (!panel) return;
    if (event.target.matches("[name=laboratory]")) onLaboratoryChange(panel);
    if (event.target.matches("select")) onUnitChange(panel, event.target);
  });
  document.addEventListener("input", (event) => {
    const row = event.target.closest(".lab-row");
    if (!row) return;
    if (event.target.matches("[data-result]")) showSign(row);
    if (!event.target.closest(".lab-limits")) return;
    row.dataset.typed = "";
    row.querySelector("[data-limits-source]").textContent = "";
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-comparator]");
    if (button) nextSign(button.closest(".lab-row"));
  });
  document.body.addEventListener("htmx:afterSettle", () => showSignButtons());
};

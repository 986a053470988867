// A round of ICE in three steps: a second tap clears an answer, the foot says what was asked and what is still
// possible. Without this file all steps stand below each other and are saved as they are.

const STEPS = ["awake?", "weakness?"];
const rounds = () => document.querySelectorAll("[data-round]");
const checked = (part, selector = "") => [...part.querySelectorAll(`${selector} input:checked`)];
const valueOf = (round, name) => round.querySelector(`[name="${name}"]:checked`)?.value ?? "";
const labelOf = (round, name) =>
  round.querySelector(`[name="${name}"]:checked`)?.closest("label").querySelector("span").firstChild.textContent.trim() ?? "";

// Returns the grade of a score: bands are written "10:0 7:1 3:2 0:3", the highest first.
const gradeOf = (bands, score) =>
  Number(bands.find(([lowest]) => score >= lowest)?.[1] ?? 0);
const bandsOf = (text) => (text ?? "").split(" ").filter(Boolean).map((band) => band.split(":").map(Number));
const named = (grade) => (grade ? `ICANS ${grade}` : "no ICANS");

// Returns the words for a score with `left` questions not asked: "ICANS 1 if both right, 2 if both wrong".
const possible = (bands, right, left) => {
  const best = gradeOf(bands, right + left);
  const worst = gradeOf(bands, right);
  if (best === worst) return `${named(best)} by ICE`;
  const all = left === 1 ? "" : left === 2 ? "both " : "all ";
  return `${named(best)} if ${all}right, ${worst} if ${all}wrong`;
};

const halfAsked = (round) => {
  const parts = new Map();
  for (const row of round.querySelectorAll("[data-part]")) {
    const { part, partLabel } = row.dataset;
    const found = parts.get(part) ?? { label: partLabel, asked: 0, all: 0 };
    found.all += 1;
    found.asked += checked(row).length;
    parts.set(part, found);
  }
  return [...parts.values()].filter(({ asked, all }) => asked > 0 && asked < all);
};

const ofIce = (round, bands) => {
  const rows = [...round.querySelectorAll("[data-part]")];
  const asked = rows.filter((row) => checked(row).length).length;
  const right = rows.filter((row) => row.querySelector("input[value=right]").checked).length;
  const left = rows.length - asked;
  if (!asked) return ["Nothing asked", "ten questions, ten points"];
  if (!left) {
    const open = right === 0 && !valueOf(round, "level") ? ", could be 4: say how awake" : "";
    return [`${right} of ${rows.length}`, `${possible(bands, right, 0)}${open}`];
  }
  const half = halfAsked(round).map(({ label, asked: some, all }) => `${label.toLowerCase()} (${some} of ${all})`);
  const missing = half.length ? ` Saved now, these stay not asked: ${half.join(", ")}.` : "";
  return [`${right} of ${asked} asked`, `${left} left. Now: ${possible(bands, right, left)}.${missing}`];
};

const ofAssessment = (round) => {
  const reason = valueOf(round, "not_done");
  if (reason) {
    const answers = checked(round, "[data-part]").length + checked(round, ".round-capd").length;
    const counts = answers
      ? "answers are set too: clear them, or the reason by a second tap"
      : reason === "unarousable" ? "ICANS 4" : "ICANS could be 4";
    return [`Not done: ${labelOf(round, "not_done").toLowerCase()}`, counts];
  }
  const bands = bandsOf(round.dataset.bands);
  if (round.dataset.tool === "ice") return ofIce(round, bands);
  const sum = valueOf(round, "capd_score");
  if (!sum) return ["CAPD not entered", "tap the sum"];
  const place = bands.findIndex(([lowest]) => Number(sum) >= lowest);
  const [lowest, grade] = bands[place];
  const range = place ? `${lowest} to ${bands[place - 1][0] - 1}` : `${lowest} or more`;
  return [`CAPD ${sum}`, grade ? `${named(grade)} (${range})` : named(grade)];
};

const ofAwake = (round) => {
  const level = labelOf(round, "level");
  const seizure = valueOf(round, "seizure_type");
  const minutes = round.querySelector("[name=seizure_minutes]").value.trim();
  const fit = seizure && seizure !== "none" ? `seizure${minutes ? ` ${minutes} min` : ""}` : "";
  const texts = [level, fit].filter(Boolean);
  if (!texts.length) return ["Nothing tapped", "how awake is always asked"];
  if (!fit) return [texts.join(", "), "no seizure is saved"];
  const goesOn = valueOf(round, "seizure_stopped") === "no" || valueOf(round, "seizure_repeated");
  if (goesOn || Number(minutes) > Number(round.dataset.prolonged)) return [texts.join(", "), "ICANS 4 (seizure)"];
  return [texts.join(", "), minutes ? `ICANS 3 for ${round.dataset.hold} (seizure)` : "ICANS 3, could be 4: how long?"];
};

const ofSigns = (round) => {
  const tapped = checked(round, "[data-of-step='3']").length;
  return tapped ? [`${tapped} tapped`, "what is not tapped is not entered"] : ["Nothing tapped", "saved as not entered"];
};

const stepOf = (round) => round.dataset.step ?? "1";

const show = (round) => {
  const [total, meaning] = [ofAssessment, ofAwake, ofSigns][Number(stepOf(round)) - 1](round);
  const set = (selector, text) => {
    const place = round.querySelector(selector);
    if (place.textContent !== text) place.textContent = text;
  };
  set("[data-total]", total);
  set("[data-meaning]", meaning);
  set("[data-round-time]", round.querySelector("[name=observed_time]").value.trim() || "now");
  const seizure = valueOf(round, "seizure_type");
  const about = round.querySelector("[data-seizure]");
  const isTyped = [...about.querySelectorAll("input")].some((input) =>
    input.matches("[type=radio], [type=checkbox]") ? input.checked : input.value,
  );
  about.hidden = (!seizure || seizure === "none") && !isTyped && !about.querySelector(".field-wrong");
};

const open = (round, step) => {
  round.dataset.step = step;
  for (const part of round.querySelectorAll("[data-of-step]")) part.hidden = part.dataset.ofStep !== step;
  for (const button of round.querySelectorAll("[data-step]")) {
    button.setAttribute("aria-pressed", String(button.dataset.step === step));
  }
  const next = round.querySelector("[data-next]");
  const following = STEPS[Number(step) - 1];
  next.hidden = !following;
  if (following) next.textContent = `Next: ${following}`;
  show(round);
};

const goTo = (round, step) => {
  open(round, step);
  const part = round.querySelector(`[data-of-step="${step}"]`);
  part.querySelector("input:checked, input:not([type=hidden])")?.focus({ preventScroll: true });
  round.querySelector("[data-steps]").scrollIntoView({ block: "nearest" });
};

const ready = () => {
  for (const round of rounds()) {
    if (!round.dataset.step) {
      round.querySelector("[data-steps]").hidden = false;
      for (const button of round.querySelectorAll("[data-fills]")) button.hidden = false;
      const wrong = round.querySelector("[aria-invalid=true], .field-wrong")?.closest("[data-of-step]");
      open(round, wrong?.dataset.ofStep ?? "1");
    } else show(round);
  }
};

// A radio button that was chosen before the tap is cleared by it.
let chosenBefore = null;
const noteChosen = (event) => {
  const label = event.target.closest?.("[data-clears] label");
  const radio = label?.querySelector("input[type=radio]") ?? (event.target.matches?.("[data-clears] input[type=radio]") ? event.target : null);
  chosenBefore = radio?.checked ? radio : null;
};
const clear = (radio) => {
  radio.checked = false;
  radio.dispatchEvent(new Event("input", { bubbles: true }));
};

const onClick = (event) => {
  const round = event.target.closest?.("[data-round]");
  if (!round) return;
  const step = event.target.closest("[data-step]");
  if (step) goTo(round, step.dataset.step);
  if (event.target.closest("[data-next]")) goTo(round, String(Number(stepOf(round)) + 1));
  const fills = event.target.closest("[data-fills]");
  if (fills) {
    const field = document.getElementById(fills.dataset.fills);
    field.value = fills.dataset.value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  if (event.target.matches("[data-clears] input[type=radio]") && event.target === chosenBefore) {
    chosenBefore = null;
    clear(event.target);
  }
};

const onKey = (event) => {
  if (event.key === " ") noteChosen(event);
  const radio = event.target.matches?.("[data-clears] input[type=radio]:checked") ? event.target : null;
  if (!radio) return;
  if (event.key === "Delete" || event.key === "Backspace") {
    event.preventDefault();
    clear(radio);
  }
  if (event.key === " " && chosenBefore === radio) {
    event.preventDefault();
    chosenBefore = null;
    clear(radio);
  }
};

export const watchIceRound = () => {
  ready();
  document.addEventListener("pointerdown", noteChosen);
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  for (const kind of ["input", "change"]) {
    document.addEventListener(kind, (event) => {
      const round = event.target.closest?.("[data-round]");
      if (round) show(round);
    });
  }
  document.body.addEventListener("htmx:afterSettle", ready);
};

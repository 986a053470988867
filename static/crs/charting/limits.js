// When a field is left, shows that its number is outside the limits: an impossible one in red, an
// unusual one as a hint. The server checks both again.

const NUMBER = /^-?(\d+(\.\d*)?|\.\d+)$/;

// A field whose unit is chosen has limits for each unit, as "c:25:45 f:77:113".
const limitsOf = (input, name) => {
  const unit = input.closest(".measure")?.querySelector("select")?.value;
  const text = input.dataset[name];
  if (!text) return null;
  for (const each of text.split(" ")) {
    const [of, lowest, highest] = each.split(":");
    if (of === "" || of === unit) return { lowest, highest };
  }
  return null;
};

const isOutside = (typed, limits) =>
  limits && (Number(typed) < Number(limits.lowest) || Number(typed) > Number(limits.highest));

const unitOf = (input) => {
  const select = input.closest(".measure")?.querySelector("select");
  const unit = input.closest(".measure")?.querySelector(".unit");
  return (select ? select.selectedOptions[0]?.text : unit?.textContent)?.trim() ?? "";
};

const sentenceOf = (input) => {
  const typed = input.value.trim();
  if (!NUMBER.test(typed)) return null;
  const value = `${typed}\u00a0${unitOf(input)}`.trim();
  const hard = limitsOf(input, "limits");
  if (isOutside(typed, hard)) {
    return { text: `${value} is not possible (${hard.lowest} to ${hard.highest}).`, isWrong: true };
  }
  const usual = limitsOf(input, "usual");
  if (!isOutside(typed, usual)) return null;
  return { text: `${value} is unusual (${usual.lowest} to ${usual.highest}).`, isWrong: false };
};

const hintId = (input) => `${input.id}-limits`;

const show = (input) => {
  document.getElementById(hintId(input))?.remove();
  const others = (input.getAttribute("aria-describedby") ?? "")
    .split(" ")
    .filter((id) => id && id !== hintId(input));
  const sentence = sentenceOf(input);
  if (sentence) {
    const line = document.createElement("p");
    line.id = hintId(input);
    line.className = `value-hint ${sentence.isWrong ? "wrong" : "hint"}`;
    line.setAttribute("role", "status");
    line.textContent = sentence.text;
    input.closest(".measure").after(line);
    others.push(line.id);
  }
  if (others.length) input.setAttribute("aria-describedby", others.join(" "));
  else input.removeAttribute("aria-describedby");
  input.closest(".field")?.classList.toggle("out-of-limits", Boolean(sentence?.isWrong));
};

// A line that appears while a finger is on a button would move the button away from under it.
let isPressed = false;
const waiting = new Set();
const showLater = (input) => {
  if (isPressed) waiting.add(input);
  else show(input);
};
const release = () => {
  isPressed = false;
  setTimeout(() => {
    for (const input of waiting) if (input.isConnected) show(input);
    waiting.clear();
  });
};

// Removes the hints below the fields of a form that was emptied.
export const clearLimits = () => {
  for (const line of document.querySelectorAll(".value-hint")) {
    const input = document.getElementById(line.id.replace(/-limits$/, ""));
    if (input && !input.value) show(input);
  }
};

export const isImpossible = (form) => form.querySelector(".out-of-limits") !== null;

export const watchLimits = () => {
  document.addEventListener("pointerdown", () => {
    isPressed = true;
  });
  for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, release);
  document.addEventListener("change", (event) => {
    if (event.target.matches("input[data-number]")) showLater(event.target);
    const input = event.target.closest(".measure")?.querySelector("input[data-number]");
    if (event.target.matches("select") && input) showLater(input);
  });
  document.body.addEventListener("htmx:afterSettle", clearLimits);
};

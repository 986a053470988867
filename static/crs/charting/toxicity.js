// Search for a toxicity by typing: an editable combobox over the plain select, which has the value,
// with the criteria of each grade. Without this file the select and the table of criteria are used.

const AT_MOST = 60;
const SHORT = 5;
const ENDING = 2;
let serial = 0;

const plain = (text) => text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "");

const termsOf = (part) =>
  [...part.querySelectorAll("[data-term]")].map((entry) => ({
    term: entry.dataset.term,
    label: entry.querySelector("dt").textContent,
    group: entry.dataset.group,
    words: plain(`${entry.querySelector("dt").textContent} ${entry.dataset.also}`).split(/[\s-]+/),
    remark: entry.querySelector("[data-about]")?.textContent ?? "",
    grades: [...entry.querySelectorAll("[data-for]")].map((meaning) => ({
      text: meaning.querySelector("span").textContent,
      isNone: meaning.hasAttribute("data-none"),
    })),
  }));

// Returns the terms where each typed word begins a word of the label or of a synonym; matches of the
// label come first.
const found = (terms, typed) => {
  const sought = plain(typed).split(/[\s-]+/).filter(Boolean);
  const fits = ({ words }) => sought.every((part) => words.some((word) => word.startsWith(part)));
  const byName = ({ label }) => (plain(label).startsWith(plain(typed)) ? 0 : 1);
  let list = terms.filter(fits).slice(0, AT_MOST);
  // Another form of the word: "confused" finds confusion.
  const stems = sought.map((part) => (part.length > SHORT ? part.slice(0, -ENDING) : part));
  if (!list.length) {
    list = terms.filter(({ words }) =>
      stems.every((stem) => words.some((word) => word.startsWith(stem))),
    );
  }
  return typed ? list.sort((a, b) => byName(a) - byName(b)) : list;
};

class Finder {
  constructor(part) {
    this.part = part;
    this.select = part.querySelector("[data-plain] select");
    this.input = part.querySelector("[role=combobox]");
    this.list = part.querySelector("[role=listbox]");
    this.status = part.querySelector("[data-found]");
    this.terms = termsOf(part);
    this.active = -1;
    part.querySelector("[data-plain]").hidden = true;
    part.querySelector("[data-finder]").hidden = false;
    part.querySelector("label").htmlFor = this.input.id;
    this.input.addEventListener("input", () => this.open());
    this.input.addEventListener("click", () => this.open());
    this.input.addEventListener("keydown", (event) => this.onKey(event));
    this.input.addEventListener("blur", () => this.leave());
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.choose(option.dataset.value);
    });
    this.show();
  }

  get chosen() {
    return this.terms.find(({ term }) => term === this.select.value);
  }

  get options() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  open() {
    const typed = this.input.value.trim();
    const listed = found(this.terms, this.chosen?.label === typed ? "" : typed);
    this.list.replaceChildren(...this.grouped(listed));
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.status.textContent = listed.length ? `${listed.length} found` : "No toxicity found";
    this.hasTyped = Boolean(typed);
    this.activate(-1);
  }

  grouped(listed) {
    if (!listed.length) {
      const none = document.createElement("p");
      none.textContent = "None found. Type another word, or clear to see all.";
      return [none];
    }
    const groups = new Map();
    for (const one of listed) {
      if (!groups.has(one.group)) groups.set(one.group, this.group(one.group));
      groups.get(one.group).append(this.option(one));
    }
    return [...groups.values()];
  }

  group(name) {
    const group = document.createElement("div");
    const title = document.createElement("span");
    title.id = `toxicity-group-${(serial += 1)}`;
    title.textContent = name;
    title.setAttribute("role", "presentation");
    group.setAttribute("role", "group");
    group.setAttribute("aria-labelledby", title.id);
    group.append(title);
    return group;
  }

  option({ term, label }) {
    const option = document.createElement("div");
    option.id = `toxicity-option-${term}`;
    option.dataset.value = term;
    option.textContent = label;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", String(term === this.select.value));
    return option;
  }

  activate(index) {
    const options = this.options;
    this.active = options.length ? Math.max(-1, Math.min(index, options.length - 1)) : -1;
    for (const [place, option] of options.entries()) {
      option.classList.toggle("active", place === this.active);
    }
    const option = options[this.active];
    if (!option) return this.input.removeAttribute("aria-activedescendant");
    this.input.setAttribute("aria-activedescendant", option.id);
    return option.scrollIntoView({ block: "nearest" });
  }

  onKey(event) {
    const isOpen = !this.list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen) this.open();
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.activate(isOpen ? this.active + step : Math.max(0, this.active));
    } else if (event.key === "Enter") {
      event.preventDefault();
      event.stopPropagation();
      const option = this.options[this.hasTyped ? Math.max(0, this.active) : this.active];
      if (isOpen && option) this.choose(option.dataset.value);
      else if (!isOpen && !this.chosen) this.open();
      else this.toGrades();
    } else if (event.key === "Escape" && isOpen) {
      event.preventDefault();
      this.leave();
    }
  }

  close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  // Typed text that was not chosen is dropped: the label of the chosen term is shown again.
  leave() {
    if (!this.input.value.trim()) this.select.value = "";
    this.close();
    this.show();
  }

  choose(term) {
    const isOther = term !== this.select.value;
    this.select.value = term;
    this.close();
    // The chosen grade belongs to the criteria of the other term.
    if (isOther) for (const radio of this.radios) radio.checked = false;
    this.show();
    this.select.dispatchEvent(new Event("change", { bubbles: true }));
    this.toGrades();
  }

  get radios() {
    return [...this.part.querySelectorAll(".grades input[type=radio]")];
  }

  toGrades() {
    if (!this.chosen) return;
    const radios = this.radios;
    (radios.find(({ checked }) => checked) ?? radios.find(({ disabled }) => !disabled)).focus();
  }

  // Called after each swap: an open list means that someone is typing, so nothing is changed.
  refresh() {
    if (this.list.hidden) this.show();
  }

  show() {
    const { chosen } = this;
    this.input.value = chosen?.label ?? "";
    const remark = this.part.querySelector("[data-remark]");
    remark.textContent = chosen?.remark ?? "";
    remark.hidden = !chosen?.remark;
    for (const [grade, radio] of this.radios.entries()) {
      const meaning = chosen?.grades[grade - 1];
      radio.parentElement.querySelector("[data-meaning]").textContent = meaning?.text ?? "";
      radio.disabled = meaning?.isNone ?? false;
    }
    this.part.querySelector(".criteria").hidden = Boolean(chosen);
  }
}

const finders = new WeakMap();

const readyToxicity = (root = document) => {
  for (const part of root.querySelectorAll("[data-toxicity]")) {
    if (!finders.has(part)) finders.set(part, new Finder(part));
    else finders.get(part).refresh();
  }
};

export const watchToxicity = () => {
  readyToxicity();
  document.body.addEventListener("htmx:afterSettle", () => readyToxicity());
};

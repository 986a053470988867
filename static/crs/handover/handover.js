// The button that prints; without a script the browser's own command does.

const button = document.querySelector("[data-prints]");
button.hidden = false;
button.addEventListener("click", () => print());

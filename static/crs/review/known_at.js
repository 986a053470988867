// The slider of "as known at": loads the page of another time, 300 ms after the slider rests. Until the new page is
// there the old one stays in a dashed frame. Without a network the slider is off.

import { clock, dayOf, isoText } from "./axis.js";

const REST_MS = 300;
const slide = document.querySelector("[data-known-slide]");

if (slide) {
  const slider = slide.querySelector("input");
  const shown = Number(slider.value);
  const text = (at) => `${dayOf(at)} ${clock(at)}`;
  const line = document.createElement("p");
  line.className = "hint";
  line.setAttribute("role", "status");
  slide.append(line);
  const wait = document.querySelector("[data-then-wait]");
  const say = (sentence) => {
    line.textContent = sentence;
    if (wait) wait.textContent = sentence;
  };

  const addressOf = (at) => {
    const address = new URL(location.href);
    for (const name of ["known_date", "known_time"]) address.searchParams.delete(name);
    const cursor = address.searchParams.get("at");
    if (cursor && Date.parse(cursor) > at * 1000) address.searchParams.delete("at");
    address.searchParams.set("known_at", isoText(at));
    return address;
  };

  const settle = () => {
    document.body.classList.remove("is-waiting");
    slider.value = shown;
    slider.removeAttribute("aria-valuetext");
  };

  let asking;
  let asked = null;
  const ask = async (at) => {
    asked?.abort();
    asked = new AbortController();
    const { signal } = asked;
    const address = addressOf(at);
    try {
      // The page is asked for before it is opened: where that fails, the old one stays.
      const answer = await fetch(address, { method: "HEAD", signal, headers: { Accept: "text/html" } });
      if (answer.redirected || !answer.ok) throw new Error(String(answer.status));
      location.assign(address);
    } catch {
      if (signal.aborted) return;
      settle();
      say(`Could not load ${text(at)}. You still see ${text(shown)}.`);
    }
  };

  slider.addEventListener("input", () => {
    const at = Number(slider.value);
    slider.setAttribute("aria-valuetext", text(at));
    document.body.classList.add("is-waiting");
    say(`${text(at)}, loading …`);
    clearTimeout(asking);
    asking = setTimeout(ask, REST_MS, at);
  });
  // A page that comes back from the memory of the browser (Back) is not loading.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    settle();
    say("");
  });

  const follow = () => {
    slider.disabled = !navigator.onLine;
    if (!navigator.onLine) {
      clearTimeout(asking);
      settle();
      say("No network.");
    } else if (line.textContent === "No network.") say("");
  };
  window.addEventListener("online", follow);
  window.addEventListener("offline", follow);
  follow();
  slide.hidden = false;
}

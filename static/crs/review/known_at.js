// Asks for another time known at by the slider. It sends 300 ms after it rests; until the new page
// is there the old one stays, framed dashed. Without a network it is off.

const REST_MS = 300;
const slide = document.querySelector("[data-known-slide]");

if (slide) {
  const zone = document.body.dataset.zone;
  const slider = slide.querySelector("input");
  const shown = Number(slider.value);
  const format = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options });
  const dayFormat = format({ day: "numeric", month: "short" });
  const clockFormat = format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const text = (at) => {
    const date = new Date(at * 1000);
    return `${dayFormat.format(date)} ${clockFormat.format(date)}`;
  };
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
    const known = new Date(at * 1000);
    const looked = address.searchParams.get("at");
    if (looked && new Date(looked) > known) address.searchParams.delete("at");
    address.searchParams.set("known_at", known.toISOString().replace("Z", "+00:00"));
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
  // A page that comes back from the memory of the browser waits for nothing.
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

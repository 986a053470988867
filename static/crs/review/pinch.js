// Two fingers zoom, one finger scrolls the page.

const LEAST_APART_PX = 20;

// Calls `setWindow` while two fingers move on `host`, until `signal` is aborted; `plot` is any of its plots, which all have
// the same time axis.
export const watchPinch = (host, plot, state, setWindow, signal) => {
  const fingers = new Map();
  let start = null;
  const apart = () => {
    const [a, b] = [...fingers.values()];
    return Math.max(LEAST_APART_PX, Math.abs(a - b));
  };
  const press = (event) => {
    if (event.pointerType !== "touch") return;
    fingers.set(event.pointerId, event.clientX);
    if (fingers.size === 2) start = { apart: apart(), window: [...state.window] };
  };
  const move = (event) => {
    if (!fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, event.clientX);
    if (!start || fingers.size !== 2) return;
    const [from, to] = start.window;
    const left = plot.over.getBoundingClientRect().left;
    const [a, b] = [...fingers.values()];
    const share = ((a + b) / 2 - left) / plot.over.clientWidth;
    const fixed = from + (to - from) * share;
    const span = ((to - from) * start.apart) / apart();
    setWindow(fixed - span * share, fixed + span * (1 - share));
  };
  const lift = (event) => {
    fingers.delete(event.pointerId);
    start = null;
  };
  const acts = { pointerdown: press, pointermove: move, pointerup: lift, pointercancel: lift, pointerleave: lift };
  for (const [name, act] of Object.entries(acts)) host.addEventListener(name, act, { signal });
};

"""The review page in Chromium: 40,000 points, its first paint, its cursor, its DOM, its CSP."""

from __future__ import annotations

import os
import shutil
from statistics import median
from typing import Any, Final

from bench.client import PASSWORD, USERNAME
from bench.measure import Metric, percentile
from bench.servers import HOST
from bench.site import Site

COURSES = {"browser": [30_000]}
_LOADS: Final = 5
_MOVES: Final = 300
_OPTIONS: Final = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run")

# From the answer with the values to the frame in which the lanes are painted: parsing, building and
# drawing. What the server needs for the values is measured by the part review.
_WATCH: Final = """
window.violations = 0;
document.addEventListener("securitypolicyviolation", () => { window.violations += 1; });
const original = window.fetch;
window.fetch = async (...given) => {
  const answer = await original(...given);
  if (!String(given[0]).includes("series.json")) return answer;
  const text = await answer.text();
  window.answered = performance.now();
  const painted = () => {
    const lanes = document.querySelectorAll("#plots .uplot").length;
    if (lanes < 5) return requestAnimationFrame(painted);
    requestAnimationFrame(() => setTimeout(() => { window.painted = performance.now(); }));
  };
  requestAnimationFrame(painted);
  return new Response(text, { status: answer.status, headers: answer.headers });
};
"""
_MOVE: Final = """
async (moves) => {
  const over = document.querySelector("#plots .u-over");
  const { left, top, width } = over.getBoundingClientRect();
  const took = [];
  for (let move = 0; move < moves; move += 1) {
    const begun = performance.now();
    const place = { clientX: left + (width * ((move * 37) % moves)) / moves, clientY: top + 5 };
    over.dispatchEvent(new MouseEvent("mousemove", { ...place, bubbles: true }));
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    took.push(performance.now() - begun);
  }
  return took;
}
"""


def measure(site: Site) -> list[Metric]:
    """Return the figures of several loads of a course with some 40,000 points."""
    from playwright.sync_api import sync_playwright

    executable = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=executable, args=[*_OPTIONS])
        try:
            page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
            return _figures(page, site)
        finally:
            browser.close()


def _figures(page: Any, site: Site) -> list[Metric]:
    base = f"http://{HOST}:{site.product.port}"
    page.goto(f"{base}/accounts/sign-in/")
    page.fill("[name=username]", USERNAME)
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_load_state()
    page.add_init_script(_WATCH)
    path = f"{base}/courses/{site.courses['browser'][0].course_id}/review/?range=all"
    paints = []
    for _ in range(_LOADS):
        with page.expect_response(
            lambda answer: "series.json" in answer.url, timeout=60_000
        ) as got:
            page.goto(path)
        page.wait_for_function("window.painted > 0")
        paints.append(page.evaluate("window.painted - window.answered"))
    points = sum(len(one["at"]) for one in got.value.json()["series"])
    moves = page.evaluate(_MOVE, _MOVES)
    return [
        Metric("browser, points", points, ""),
        Metric("browser, values to first paint", median(paints), "ms", target=500),
        Metric("browser, cursor p95", percentile(moves, 0.95), "ms", target=50),
        Metric("browser, DOM nodes of the plots", _count(page, "#plots *"), "", target=250),
        Metric("browser, CSP violations", page.evaluate("window.violations"), "", target=0),
    ]


def _count(page: Any, selector: str) -> int:
    return int(page.locator(selector).count())

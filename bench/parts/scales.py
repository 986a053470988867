"""The scales beside Lee's: the bedside page with their line and without it, and their own speed."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any
from unittest import mock

from bench.measure import Metric, in_turn, ratio_metric, spread
from bench.parts.engine import parsed, seconds_of
from bench.parts.statements import signed_in
from bench.site import Site
from grading.scales import SCALES, grade_scales

SIZES = (100, 10_000)
COURSES = {"100": [100] * 2, "10000": [10_000]}
_PAGE_AT_MOST = 1.2
_ENTRIES_A_SECOND = 20_000
_ROUNDS = 15
_RATES = 5


def measure(site: Site) -> list[Metric]:
    """Return the page's ratio to itself without the line, and the entries a second of a scale.

    The page is asked for in this process, since nothing serves it without the line.
    """
    browser = signed_in()
    return [
        *(_page(browser, site, size) for size in SIZES),
        *(_rate(size) for size in SIZES),
    ]


def _page(browser: Any, site: Site, size: int) -> Metric:
    path = f"/courses/{site.courses[str(size)][0].course_id}/"
    subjects = {"with": _timed(browser, path), "without": _timed_without(browser, path)}
    found = in_turn(
        f"page with scales at {size:,}", subjects, rounds=_ROUNDS, block=4, warm_up=3, budget_s=25
    )
    return ratio_metric(
        f"bedside page at {size:,}, with two scales to without",
        found["with"],
        found["without"],
        target=_PAGE_AT_MOST,
    )


def _timed(browser: Any, path: str) -> Callable[[], float]:
    def page_ms() -> float:
        begun = time.perf_counter()
        answer = browser.get(path)
        took = (time.perf_counter() - begun) * 1000
        if answer.status_code != 200:
            raise AssertionError(f"{path} was answered {answer.status_code}")
        return took

    return page_ms


def _timed_without(browser: Any, path: str) -> Callable[[], float]:
    page_ms = _timed(browser, path)

    def page_without_ms() -> float:
        with mock.patch("patients.bedside.page.scales_line", return_value=None):
            return page_ms()

    return page_without_ms


def _rate(size: int) -> Metric:
    """Return how many entries a second one of all scales grades, from the infusion on."""
    facts, entries = parsed(size)
    now = entries[-1].at
    rates = [
        size * len(SCALES) / seconds_of(lambda: grade_scales(facts, entries, now, SCALES))
        for _ in range(_RATES)
    ]
    return Metric(
        f"scales from scratch, {size:,}, each of {len(SCALES)}",
        median(rates),
        "entries/s",
        spread(rates),
        target=_ENTRIES_A_SECOND,
        at_least=True,
    )

"""The episode summary as a page and as JSON: it reads the whole course, so it grows with it."""

from __future__ import annotations

from typing import Any

from bench.measure import Metric
from bench.parts.pages import measure_page
from bench.site import Site

_SIZES = (100, 1_000, 10_000)
COURSES = {"100": [100] * 2, "1000": [1_000] * 2, "10000": [10_000]}
"""No longer ones: every entry is read, and to chart 100,000 takes a minute."""


def measure(site: Site) -> list[Metric]:
    """Return the figures of both at every size."""
    return [
        *measure_page(site, "summary", _page, sizes=_SIZES, budget_s=15),
        *measure_page(site, "summary.json", _data, sizes=_SIZES, budget_s=10),
    ]


def _page(course: Any) -> str:
    return f"/courses/{course.course_id}/summary/"


def _data(course: Any) -> str:
    return f"/courses/{course.course_id}/summary.json"

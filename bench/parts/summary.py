"""The episode summary as a page and as JSON: it reads the whole course, so it grows with it."""

from __future__ import annotations

from typing import Any

from bench.measure import Metric
from bench.parts.pages import COURSES as COURSES
from bench.parts.pages import measure_page
from bench.site import Site

_UP_TO_10_000 = (100, 1_000, 10_000)
_LONGEST = "100000"


def measure(site: Site) -> list[Metric]:
    """Return the figures up to 10,000 entries, and the seconds of a page at 100,000."""
    longest = _page(site.courses[_LONGEST][0])
    longest_s = min(site.page_ms(longest) for _ in range(2)) / 1000
    return [
        *measure_page(site, "summary", _page, sizes=_UP_TO_10_000, budget_s=30),
        *measure_page(site, "summary.json", _data, sizes=_UP_TO_10_000, budget_s=20),
        Metric("summary at 100,000", longest_s, "s"),
    ]


def _page(course: Any) -> str:
    return f"/courses/{course.course_id}/summary/"


def _data(course: Any) -> str:
    return f"/courses/{course.course_id}/summary.json"

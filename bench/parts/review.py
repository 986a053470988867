"""The review page: the page with its grade and reasons, the panel at a cursor, what is plotted."""

from __future__ import annotations

from typing import Any

from bench.measure import Metric
from bench.parts.pages import COURSES as COURSES
from bench.parts.pages import measure_page
from bench.site import Site

_UP_TO_10_000 = (100, 1_000, 10_000)
_LONGEST = "100000"


def measure(site: Site) -> list[Metric]:
    """Return the figures of the page at every size; what is plotted grows with the entries."""
    longest = site.courses[_LONGEST][0]
    plotted_s = min(site.page_ms(_series(longest)) for _ in range(2)) / 1000
    return [
        *measure_page(site, "review page", _page),
        *measure_page(site, "review, at a cursor", _cursor, budget_s=20),
        *measure_page(site, "review, plotted", _series, sizes=_UP_TO_10_000, budget_s=20),
        Metric("review, plotted at 100,000", plotted_s, "s"),
    ]


def _page(course: Any) -> str:
    return f"/courses/{course.course_id}/review/"


def _cursor(course: Any) -> str:
    middle = course.infused_at + (course.last_at - course.infused_at) / 2
    return f"{_page(course)}cursor/?at={middle:%Y-%m-%dT%H:%M:%SZ}"


def _series(course: Any) -> str:
    return f"{_page(course)}series.json?range=all&width=900"

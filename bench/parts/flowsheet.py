"""The flowsheet: the last day by hours, and a day in the middle of the course."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bench.measure import Metric
from bench.parts.pages import COURSES as COURSES
from bench.parts.pages import measure_page
from bench.site import Site


def measure(site: Site) -> list[Metric]:
    """Return the figures of the last charted day, and of one in the middle, at every size."""
    return [
        *measure_page(site, "flowsheet", _last_day, budget_s=35),
        *measure_page(site, "flowsheet, in the middle", _middle, budget_s=30),
    ]


def _last_day(course: Any) -> str:
    return _until(course, course.last_at)


def _middle(course: Any) -> str:
    return _until(course, course.infused_at + (course.last_at - course.infused_at) / 2)


def _until(course: Any, instant: Any) -> str:
    begin = instant - timedelta(hours=23)
    window = f"from={begin:%Y-%m-%dT%H:00}&to={instant + timedelta(hours=1):%Y-%m-%dT%H:00}"
    return f"/courses/{course.course_id}/flowsheet/?{window}"

"""The review page as known at the middle of a course, and the same answer as data."""

from __future__ import annotations

from typing import Any

from bench.measure import Metric
from bench.parts.pages import COURSES as COURSES
from bench.parts.pages import measure_page
from bench.site import Site


def measure(site: Site) -> list[Metric]:
    """Return the figures of the page and of ``state.json`` at every size."""
    return [
        *measure_page(site, "as known at", _page, budget_s=35),
        *measure_page(site, "state.json", _state, budget_s=20),
    ]


def _page(course: Any) -> str:
    return f"/courses/{course.course_id}/review/?known_at={_middle(course)}"


def _state(course: Any) -> str:
    when = _middle(course)
    return f"/courses/{course.course_id}/state.json?at={when}&known_at={when}"


def _middle(course: Any) -> str:
    middle = course.infused_at + (course.last_at - course.infused_at) / 2
    return f"{middle:%Y-%m-%dT%H:%M:%SZ}"

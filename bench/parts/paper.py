"""What is printed: the whole course on paper. It has the entries, and grows with them."""

from __future__ import annotations

from typing import Any

from bench.measure import Metric
from bench.parts.pages import measure_page
from bench.site import Site

_UP_TO_10_000 = (100, 1_000, 10_000)
COURSES = {str(size): [size] for size in _UP_TO_10_000}


def measure(site: Site) -> list[Metric]:
    """Return the figures of the printed course; the largest course of a patient has some 5,000."""
    return measure_page(site, "course on paper", _paper, sizes=_UP_TO_10_000, budget_s=40)


def _paper(course: Any) -> str:
    return f"/courses/{course.course_id}/paper/"

"""The grade of a course at an instant, as it was known at another, as data."""

from __future__ import annotations

from typing import Any

from grading.systems import HEADLINE
from patients.models import Course
from patients.queries.grades import GradePeriodRow
from patients.queries.known_at import read_period_at
from patients.review.address import Instants


def state_json(course: Course, instants: Instants) -> dict[str, Any]:
    """Return grade, bound and codes at ``instants.at`` as known at ``instants.known_at``.

    They are those of ``python -m grading --now at --known-at known_at``: 0 after the infusion with
    nothing charted; None before it, and after a death of another cause. ``scales`` has one item for
    each further grading system; there is none.
    """
    found = read_period_at(course.pk, HEADLINE, at=instants.at, known_at=instants.known_at)
    period = found.period
    # Before the first act of the course no period was known: nothing is charted.
    is_ungraded = period is None and (found.is_graded or instants.at < course.infused_at)
    grade = None if is_ungraded else 0
    return {
        "at": instants.at.isoformat(),
        "known_at": instants.known_at.isoformat(),
        "grade": grade if period is None else period.grade,
        "at_most": grade if period is None else period.at_most,
        "criteria": _items(period, "criteria", ("code", "grade")),
        "unknown": _items(period, "unknown", ("code", "could_reach")),
        "scales": {},
    }


def _items(period: GradePeriodRow | None, part: str, keys: tuple[str, ...]) -> list[dict[str, Any]]:
    findings = () if period is None else period.findings[part]
    return [{key: item[key] for key in keys} for item in findings]

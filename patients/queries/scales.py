"""Read the grades of scales other than Lee's: at an instant, and over the whole course."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from grading.scales import (
    SCALES,
    SHOWN,
    CourseScales,
    Difference,
    Pattern,
    Scale,
    ScaleAnswer,
    ScalePeriod,
    grade_scales,
    holds_other_scales,
)
from grading.systems import HEADLINE
from patients.queries.known_at import CourseKnownAt, read_known_at
from patients.queries.status import CourseStatus

__all__ = [
    "ICANS",
    "SCALES",
    "SHOWN",
    "CourseScales",
    "Difference",
    "Pattern",
    "Scale",
    "ScaleAnswer",
    "ScalePeriod",
    "scales_at",
    "scales_over",
]

ICANS: Final = SHOWN[1].key


def scales_at(
    status: CourseStatus,
    scales: Sequence[Scale] = SHOWN,
    compare: tuple[str, str] | None = None,
) -> CourseScales:
    """Return what ``scales`` say at the instant of ``status``, and what their clocks will change.

    Their periods begin at the checkpoint that the status was computed from. A course whose
    checkpoint does not hold what the scales ask is read and folded from its infusion on.
    ``compare`` has the keys of two scales to compare with one another.
    """
    now, graded_from = status.current.at, status.graded_from
    if graded_from is None:
        raise ValueError("the status does not say what it was computed from")
    facts, entries, resume = graded_from
    if resume is not None and not holds_other_scales(resume):
        known = read_known_at(status.course, HEADLINE, now, is_now=True)
        return scales_over(known, now, scales, compare)
    return grade_scales(facts, entries, now, scales, resume=resume, compare=compare)


def scales_over(
    known: CourseKnownAt,
    until: datetime,
    scales: Sequence[Scale] = SHOWN,
    compare: tuple[str, str] | None = None,
) -> CourseScales:
    """Return what ``scales`` say from the infusion to ``until``, from what was known of it.

    ``known`` must have been read whole, not near an instant.
    """
    return grade_scales(known.facts, known.entries, until, scales, compare=compare)

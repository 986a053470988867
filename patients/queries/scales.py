"""Read the grades of scales other than Lee's: at an instant, and over the whole course."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from grading.engine.entries import Entry
from grading.engine.facts import CourseFacts
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
    scales_from_now,
)
from grading.systems import HEADLINE
from patients.models import Course
from patients.queries.entries import parse_entries, split_by_use
from patients.queries.known_at import CourseKnownAt, read_known_at
from patients.queries.near import read_near
from patients.queries.status import CourseStatus, GradedFrom

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
    "ScalesOfWindow",
    "read_scales_of_window",
    "scales_at",
    "scales_known_at",
    "scales_over",
    "shown_scales_from_now",
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
    now, (facts, entries, resume) = status.current.at, _graded_from(status)
    if resume is not None and not holds_other_scales(resume):
        return scales_over(_read_whole(status), now, scales, compare)
    return grade_scales(facts, entries, now, scales, resume=resume, compare=compare)


def shown_scales_from_now(status: CourseStatus) -> tuple[ScaleAnswer, ...]:
    """Return what ASTCT and ICANS say at the instant of ``status`` and after it, not before."""
    now, (facts, entries, resume) = status.current.at, _graded_from(status)
    if resume is not None and not holds_other_scales(resume):
        known = _read_whole(status)
        return scales_from_now(known.facts, known.entries, now)
    return scales_from_now(facts, entries, now, resume=resume)


def _graded_from(status: CourseStatus) -> GradedFrom:
    if status.graded_from is None:
        raise ValueError("the status does not say what it was computed from")
    return status.graded_from


def _read_whole(status: CourseStatus) -> CourseKnownAt:
    return read_known_at(status.course, HEADLINE, status.current.at, is_now=True)


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


def scales_known_at(
    course: Course, known: CourseKnownAt, status: CourseStatus, *, is_now: bool
) -> CourseScales:
    """Return what ASTCT and ICANS show at the instant of ``status``, which rests on ``known``.

    ``course`` is the present one. No statement is sent, unless the checkpoint does not hold what
    the scales ask: then the course is read whole, as it was known.
    """
    at, (facts, entries, resume) = status.current.at, _graded_from(status)
    if resume is None or holds_other_scales(resume):
        return grade_scales(facts, entries, at, resume=resume)
    return scales_over(read_known_at(course, HEADLINE, known.known_at, is_now=is_now), at)


class ScalesOfWindow(NamedTuple):
    """What the scales show in a window and somewhat before it, and the entries that they read.

    ``entries`` are those of the window and earlier ones that still hold, in the engine's order.
    """

    scales: CourseScales
    facts: CourseFacts
    entries: Sequence[Entry]


def read_scales_of_window(
    course: Course, start: datetime, until: datetime, *, known_at: datetime, is_now: bool
) -> ScalesOfWindow:
    """Read what ASTCT and ICANS show from ``start`` to ``until``, as known at ``known_at``.

    Two statements; they resume at the last checkpoint before ``start``, so that a window costs the
    same in a course of any length.
    """
    near = read_near(course, HEADLINE, at=start, known_at=known_at)
    if near.resume is not None and not holds_other_scales(near.resume):
        near = near._replace(resume=None)
    known = read_known_at(
        course, HEADLINE, known_at, near._replace(at=max(start, until)), is_now=is_now
    )
    after = None if near.resume is None else near.resume.at
    rows, _ = split_by_use(known.course, known.rows, after=after)
    scales = grade_scales(known.facts, parse_entries(rows), until, resume=near.resume)
    return ScalesOfWindow(scales, known.facts, known.entries)

"""What a decision about the policy would change in the grades, before it is made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from grading.engine.policy import Policy
from grading.systems import HEADLINE
from patients.models import Course, PolicyVersion
from patients.policy.decide import from_start, open_courses
from patients.queries.grades import periods_known_now
from patients.queries.policies import PolicyPeriod
from patients.recording.regrade import PolicyPreview, preview_regrade


class GradeAndBound(NamedTuple):
    """Grade and bound; both None where nothing is graded."""

    grade: int | None
    at_most: int | None


_UNGRADED = GradeAndBound(None, None)


class Stretch(NamedTuple):
    """What holds over [``start``, ``end``); ``end`` None is for ever."""

    start: datetime
    end: datetime | None
    held: GradeAndBound


class GradeDifference(NamedTuple):
    """From ``start`` to ``end`` a course would hold ``after`` instead of ``before``."""

    start: datetime
    end: datetime | None
    before: GradeAndBound
    after: GradeAndBound


class Effect(NamedTuple):
    """What a decision would change first on a course: now, or at an instant to come."""

    course: Course
    difference: GradeDifference
    is_now: bool


def effects_on_site(policy: Policy, valid_from: datetime, now: datetime) -> list[Effect]:
    """The open courses whose grade or bound would change, the present ones first."""
    unstored = PolicyPeriod(valid_from, 0, "not stored", policy.values())
    found = []
    for course in open_courses():
        differences = _differences(course, [unstored], valid_from)
        if differences:
            found.append(_effect(course, differences, now))
    return sorted(found, key=lambda one: (not one.is_now, one.difference.start))


def effects_on_course(course: Course, version: PolicyVersion) -> list[GradeDifference]:
    """Where a course graded anew under ``version`` would differ from what its chart says."""
    return _differences(course, from_start(course, version), course.infused_at)


def _effect(course: Course, differences: Sequence[GradeDifference], now: datetime) -> Effect:
    for difference in differences:
        if difference.end is None or now < difference.end:
            return Effect(course, difference, difference.start <= now)
    return Effect(course, differences[0], False)


def _differences(
    course: Course, decided: list[PolicyPeriod], since: datetime
) -> list[GradeDifference]:
    would_be = preview_regrade(course, decided)
    before = [
        Stretch(row.valid.lower, row.valid.upper, GradeAndBound(row.grade, row.at_most))
        for row in periods_known_now(course, HEADLINE)
    ]
    return _compared(before, _after(before, would_be), since)


def _after(before: Sequence[Stretch], would_be: PolicyPreview) -> list[Stretch]:
    """What would hold: as before up to the resume point and where it goes on, then as regraded."""
    after = [
        Stretch(period.start, period.end, GradeAndBound(period.grade, period.at_most))
        for period in would_be.periods
    ]
    if would_be.resumed_at is None:
        return after
    kept = [stretch for stretch in before if stretch.start <= would_be.resumed_at]
    going_on = [stretch._replace(end=would_be.continuing_until) for stretch in kept[-1:]]
    return [*kept[:-1], *going_on, *after]


def _compared(
    before: Sequence[Stretch], after: Sequence[Stretch], since: datetime
) -> list[GradeDifference]:
    starts = {stretch.start for stretch in (*before, *after)}
    ends = {stretch.end for stretch in (*before, *after) if stretch.end is not None}
    instants = sorted({since, *(at for at in starts | ends if at > since)})
    found: list[GradeDifference] = []
    for at, until in zip(instants, [*instants[1:], None], strict=True):
        was, would_be = _grade_at(before, at), _grade_at(after, at)
        if was == would_be:
            continue
        last = found[-1] if found else None
        if last is not None and (last.end, last.before, last.after) == (at, was, would_be):
            found[-1] = last._replace(end=until)
        else:
            found.append(GradeDifference(at, until, was, would_be))
    return found


def _grade_at(stretches: Iterable[Stretch], at: datetime) -> GradeAndBound:
    for stretch in stretches:
        if stretch.start <= at and (stretch.end is None or at < stretch.end):
            return stretch.held
    return _UNGRADED

"""Preview which grades a decision about the policy would change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from grading.engine.policy import Policy
from grading.systems import HEADLINE
from patients.models import Course, PolicyVersion
from patients.policy.decide import policy_periods_from_start
from patients.queries.courses import courses_following_site
from patients.queries.grades import periods_known_now
from patients.queries.policies import PolicyPeriod
from patients.recording.regrade import PolicyPreview, preview_regrade


class GradeAndBound(NamedTuple):
    """Grade and bound; both None where nothing is graded."""

    grade: int | None
    at_most: int | None


_UNGRADED = GradeAndBound(None, None)


class GradedInterval(NamedTuple):
    """Grade and bound over [``start``, ``end``); ``end`` None is open."""

    start: datetime
    end: datetime | None
    graded: GradeAndBound


class GradeDifference(NamedTuple):
    """From ``start`` to ``end`` a course would have ``after`` instead of ``before``."""

    start: datetime
    end: datetime | None
    before: GradeAndBound
    after: GradeAndBound


class Effect(NamedTuple):
    """The first difference that a decision would make to a course: now (``is_now``) or later."""

    course: Course
    difference: GradeDifference
    is_now: bool


def effects_on_site(policy: Policy, valid_from: datetime, now: datetime) -> list[Effect]:
    """Return the open courses whose grade or bound would change, those that change now first."""
    unstored = PolicyPeriod(valid_from, 0, "not stored", policy.values())
    found = []
    for course in courses_following_site():
        differences = _differences(course, [unstored], valid_from)
        if differences:
            found.append(_effect(course, differences, now))
    return sorted(found, key=lambda one: (not one.is_now, one.difference.start))


def effects_on_course(course: Course, version: PolicyVersion) -> list[GradeDifference]:
    """Return where ``course``, regraded under ``version``, would differ from its stored history."""
    return _differences(course, policy_periods_from_start(course, version), course.infused_at)


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
        GradedInterval(row.valid.lower, row.valid.upper, GradeAndBound(row.grade, row.at_most))
        for row in periods_known_now(course, HEADLINE)
    ]
    return _compared(before, _after(before, would_be), since)


def _after(before: Sequence[GradedInterval], would_be: PolicyPreview) -> list[GradedInterval]:
    """Return the intervals after: those ``before`` up to the resume point, then the regraded."""
    after = [
        GradedInterval(period.start, period.end, GradeAndBound(period.grade, period.at_most))
        for period in would_be.periods
    ]
    if would_be.resumed_at is None:
        return after
    kept = [interval for interval in before if interval.start <= would_be.resumed_at]
    continued = [interval._replace(end=would_be.continuing_until) for interval in kept[-1:]]
    return [*kept[:-1], *continued, *after]


def _compared(
    before: Sequence[GradedInterval], after: Sequence[GradedInterval], since: datetime
) -> list[GradeDifference]:
    starts = {interval.start for interval in (*before, *after)}
    ends = {interval.end for interval in (*before, *after) if interval.end is not None}
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


def _grade_at(intervals: Iterable[GradedInterval], at: datetime) -> GradeAndBound:
    for interval in intervals:
        if interval.start <= at and (interval.end is None or at < interval.end):
            return interval.graded
    return _UNGRADED

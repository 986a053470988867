"""Preview which grades a decision about the policy would change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from grading.engine.policy import Policy
from grading.systems import HEADLINE
from patients.display.grade_differences import (
    ComparedHistory,
    GradeAndBound,
    GradeDifference,
    GradedInterval,
    compare,
)
from patients.models import Course, PolicyVersion
from patients.policy.decide import policy_periods_from_start
from patients.queries.assessed import read_assessed_since
from patients.queries.courses import courses_following_site
from patients.queries.grades import periods_known_now
from patients.queries.policies import PolicyPeriod
from patients.recording.regrade import PolicyPreview, preview_regrade


class Effect(NamedTuple):
    """A difference that a decision would make to a course.

    It is the one at present (``is_now``), else the next to come, else the first in the past.
    """

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
            return Effect(course, difference, is_now=difference.start <= now)
    return Effect(course, differences[0], is_now=False)


def _differences(
    course: Course, decided: list[PolicyPeriod], since: datetime
) -> list[GradeDifference]:
    would_be = preview_regrade(course, decided)
    before = [
        GradedInterval(row.valid.lower, row.valid.upper, GradeAndBound(row.grade, row.at_most))
        for row in periods_known_now(course, HEADLINE)
    ]
    assessed_since = read_assessed_since(course.pk, course.infused_at)
    after = ComparedHistory(_after(before, would_be), assessed_since)
    return compare(ComparedHistory(before, assessed_since), after, since)


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

"""The stored history of grades: what a regrade changes in it, row by row.

Used by ``patients.recording`` alone, inside its transaction.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import QuerySet

from grading.engine.periods import Period
from grading.engine.systems.lee_2014 import RULESET, RULESET_VERSION
from patients.models import Course, GradePeriod
from patients.policy import Ruling
from patients.stored import PutAway, supersede


@dataclass(frozen=True, slots=True)
class GradeChange:
    """The grade went from ``before`` to ``after`` at ``at`` (clinical time), by ``findings``."""

    at: datetime
    before: int
    after: int
    findings: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Difference:
    """A history before an act and after it, from the first instant at which they can differ."""

    before: Sequence[GradePeriod]
    after: Sequence[GradePeriod]

    def changes(self, now: datetime) -> tuple[GradeChange, ...]:
        """The changes of grade up to ``now`` that the act brought into the history."""
        known = set(_changes(self.before))
        return tuple(c for c in _changes(self.after) if c.at <= now and c not in known)

    def keeps_changes(self, now: datetime) -> bool:
        """Whether each change of grade up to ``now`` that was there before reads as it did."""
        told = {change: change.findings for change in _changes(self.after)}
        return all(told.get(c) == c.findings for c in _changes(self.before) if c.at <= now)

    def grade_before(self, now: datetime) -> int | None:
        return _grade_at(self.before, now)


def known_now(course: Course | uuid.UUID) -> QuerySet[GradePeriod]:
    """The periods of ``course`` as the chart has them now, in order."""
    return GradePeriod.objects.filter(
        course=course, system=RULESET, known__upper_inf=True
    ).order_by("valid")


def known_at(course: Course | uuid.UUID, instant: datetime) -> QuerySet[GradePeriod]:
    """The periods of ``course`` as the chart had them at ``instant``, in order."""
    return GradePeriod.objects.filter(
        course=course, system=RULESET, known__contains=instant
    ).order_by("valid")


def superseded(
    course: Course,
    before: Sequence[GradePeriod],
    *,
    resumed_at: datetime | None,
    continuing_until: datetime | None,
    periods: Iterable[Period],
    rulings: Sequence[Ruling],
    recorded_at: datetime,
    put_away: PutAway,
) -> Difference:
    """Bring the stored history of ``course`` to what was regraded, known from ``recorded_at`` on.

    ``before`` is stored of it for ``resumed_at`` and later; ``rulings`` are those it was graded
    under, ``put_away`` its new checkpoints. Rows that say the same stay untouched; of the others
    what was known is closed, never lost.
    """
    wanted = [
        _row(course, period, rulings[period.policy].version_id, recorded_at) for period in periods
    ]
    if before and resumed_at is not None and before[0].valid.lower <= resumed_at:
        wanted.insert(0, _continued(before[0], continuing_until, recorded_at))
    stored = {_says(row): row for row in before}
    after = [stored.pop(_says(row), row) for row in wanted]
    opened = [row for row in after if row.pk is None]
    if stored or opened or put_away.checkpoints or put_away.dropped_after is not None:
        supersede(course.pk, stored.values(), opened, recorded_at, put_away)
    return Difference(before, after)


def _row(course: Course, period: Period, version_id: int, recorded_at: datetime) -> GradePeriod:
    return GradePeriod(
        course=course,
        system=RULESET,
        valid=DateTimeTZRange(period.start, period.end),
        known=DateTimeTZRange(recorded_at, None),
        grade=period.grade,
        at_most=period.at_most,
        findings=period.findings_json(),
        ruleset_version=RULESET_VERSION,
        policy_id=version_id,
    )


def _continued(row: GradePeriod, until: datetime | None, recorded_at: datetime) -> GradePeriod:
    """The period open at the resume point: only its end can have changed."""
    return GradePeriod(
        course_id=row.course_id,
        system=row.system,
        valid=DateTimeTZRange(row.valid.lower, until),
        known=DateTimeTZRange(recorded_at, None),
        grade=row.grade,
        at_most=row.at_most,
        findings=row.findings,
        ruleset_version=row.ruleset_version,
        policy_id=row.policy_id,
    )


def _says(row: GradePeriod) -> tuple[Any, ...]:
    """Everything that two rows must share to say the same."""
    findings = json.dumps(row.findings, sort_keys=True)
    valid = (row.valid.lower, row.valid.upper)
    return (*valid, row.grade, row.at_most, findings, row.ruleset_version, row.policy_id)


def gist(findings: Mapping[str, Any]) -> str:
    """What the findings of a period say, apart from the wording, which a release may improve."""
    met = [(item["code"], item["grade"], item["evidence"]) for item in findings["criteria"]]
    unknown = [(item["code"], item["could_reach"]) for item in findings["unknown"]]
    return json.dumps([met, unknown])


def _changes(periods: Sequence[GradePeriod]) -> list[GradeChange]:
    return [
        GradeChange(later.valid.lower, earlier.grade, later.grade, later.findings)
        for earlier, later in pairwise(periods)
        if earlier.grade != later.grade
    ]


def _grade_at(periods: Iterable[GradePeriod], instant: datetime) -> int | None:
    for period in periods:
        if period.valid.lower <= instant and (
            period.valid.upper is None or instant < period.valid.upper
        ):
            return period.grade
    return None

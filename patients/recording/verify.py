"""Compare the stored grades of a course with a recomputation from its entries."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import zip_longest

from django.db import transaction

from grading.engine.periods import Period
from grading.service import Checkpoint, regrade
from grading.systems import HEADLINE
from patients.models import Course, GradeCheckpoint, GradePeriod
from patients.queries.entries import course_facts, entries_in_force, parse_entries
from patients.queries.grades import findings_without_wording, periods_known_now
from patients.queries.policies import PolicyPeriod, read_policy_periods
from patients.recording.lock import lock_course

ComparedPeriod = tuple[datetime, datetime | None, int, int, str, int]
"""Start, end, grade, bound, findings and policy version of a period."""


def differences(course: Course) -> list[str]:
    """Return a line for each difference of the stored grades from those computed from the entries.

    They are computed from the start, and from the last checkpoint as the next save would.
    """
    with transaction.atomic():
        # Locked: a save between two reads would look like a difference.
        lock_course(course, to_read=True)
        stored = [_of_row(row) for row in periods_known_now(course, HEADLINE)]
        policy_periods = read_policy_periods(course)
        entries = parse_entries(entries_in_force(course.pk, after=None))
        computed = regrade(course_facts(course, policy_periods), entries).periods
        faults = list(
            _differing("stored", stored, [_of_period(p, policy_periods) for p in computed])
        )
        return faults + _resumed_differences(course, computed, policy_periods)


def _resumed_differences(
    course: Course, computed: Sequence[Period], policy_periods: Sequence[PolicyPeriod]
) -> list[str]:
    latest = (
        GradeCheckpoint.objects.filter(
            course=course, system=HEADLINE.key, ruleset_version=HEADLINE.version
        )
        .order_by("-at")
        .first()
    )
    if latest is None:
        return []
    entries = parse_entries(entries_in_force(course.pk, after=latest.at))
    facts, point = (
        course_facts(course, policy_periods),
        Checkpoint(
            latest.at, latest.state, latest.system, latest.ruleset_version
        ).to_resume_point(),
    )
    resumed = regrade(facts, entries, resume=point)
    later = [_of_period(p, policy_periods) for p in computed if p.start > latest.at]
    found = [_of_period(p, policy_periods) for p in resumed.periods]
    faults = list(_differing("resumed", found, later))
    last = next((p for p in reversed(computed) if p.start <= latest.at), None)
    if last is not None and last.end != resumed.continuing_until:
        faults.append(
            f"resumed: the period at {latest.at} ends {resumed.continuing_until}, "
            f"computed {last.end}"
        )
    return faults


def _of_row(row: GradePeriod) -> ComparedPeriod:
    valid, findings = row.valid, findings_without_wording(row.findings)
    return (valid.lower, valid.upper, row.grade, row.at_most, findings, row.policy_id)


def _of_period(period: Period, policy_periods: Sequence[PolicyPeriod]) -> ComparedPeriod:
    findings, version = (
        findings_without_wording(period.findings_json()),
        policy_periods[period.policy].version_id,
    )
    return (period.start, period.end, period.grade, period.at_most, findings, version)


def _differing(
    name: str, found: Sequence[ComparedPeriod], computed: Sequence[ComparedPeriod]
) -> Iterator[str]:
    for left, right in zip_longest(found, computed):
        if left != right:
            yield f"{name} {_text(left)}, computed {_text(right)}"


def _text(period: ComparedPeriod | None) -> str:
    if period is None:
        return "nothing"
    start, end, grade, at_most, findings, version = period
    until = "open" if end is None else end.isoformat()
    codes = [code for code, _, _ in json.loads(findings)[0]]
    return (
        f"grade {grade} (at most {at_most}) {start.isoformat()} to {until} {codes} policy {version}"
    )

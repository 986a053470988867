"""Read a course as it was known at an instant: its entries, policies, answers and grades.

What was recorded later is left out, corrections and retractions among it: an entry that was
corrected later is in force.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final, NamedTuple

from django.db import connection

from grading.engine.entries import Entry as ChartedEntry
from grading.engine.facts import CourseFacts
from grading.engine.grading_system import GradingSystem
from grading.engine.vocabulary import LATEST
from patients.models import Course
from patients.queries.course_then import SQL_CHANGES_OF_COURSE, course_then
from patients.queries.courses import Closing
from patients.queries.entries import (
    SQL_ENTRIES_WITH_ROLES_AS_JSON,
    EntryRow,
    course_facts,
    parse_entries,
    parse_entry_rows,
    sql_not_replaced_then,
)
from patients.queries.grades import GradePeriodRow, period_row_of, periods_known_at
from patients.queries.guidance_answers import (
    SQL_ANSWERS_THEN,
    AnswerRow,
    parse_answers,
)
from patients.queries.near import SQL_ENTRIES_NEAR, SQL_KNOWN_THEN, SQL_RUNS_OF, Near
from patients.queries.policies import (
    SQL_POLICIES_DECIDED_THEN,
    PolicyPeriod,
    parse_policy_periods,
    policy_periods_for,
)
from patients.queries.snapshot import SQL_PERIODS_OF, parse_periods

_SQL_READ_KNOWN_AT: Final = (
    """
SELECT (
    SELECT {as_json}
    FROM patients_entry AS entry JOIN accounts_user AS author ON author.id = entry.recorded_by_id
        JOIN patients_chartingact AS act
            ON act.course_id = entry.course_id AND act.id = entry.act_id
    WHERE entry.course_id = %(course)s AND entry.recorded_at <= %(known_at)s
        AND entry.kind <> 'retraction' AND {in_force} AND {which}
), (
    {decided}
), (
    {answers}
), (
    {periods_of}
), (
    {changes}
)
""".replace("{as_json}", SQL_ENTRIES_WITH_ROLES_AS_JSON)
    .replace("{changes}", SQL_CHANGES_OF_COURSE)
    .replace("{in_force}", sql_not_replaced_then("entry"))
    .replace("{decided}", SQL_POLICIES_DECIDED_THEN)
    .replace("{answers}", SQL_ANSWERS_THEN)
)

_SQL_ALL: Final = _SQL_READ_KNOWN_AT.replace("{which}", "true").replace(
    "{periods_of}", f"{SQL_PERIODS_OF} {SQL_KNOWN_THEN}"
)
_SQL_NEAR: Final = _SQL_READ_KNOWN_AT.replace("{which}", SQL_ENTRIES_NEAR).replace(
    "{periods_of}", SQL_RUNS_OF
)


@dataclass(frozen=True)
class CourseKnownAt:
    """A course as it was known at ``known_at``.

    ``course`` has identity, ward and bed of then; ``closing`` is how it had been closed, None where
    it was open. ``rows`` are the entries in force then, in the engine's order; ``answers`` those to
    guidance, newest first; ``periods`` the grades over clinical time.
    Read ``near`` an instant, ``rows`` are those that it needs, and only the periods there and at
    the start of the run of their grade have findings; the others are merged while the grade stays.
    """

    course: Course
    known_at: datetime
    rows: Sequence[EntryRow]
    policy_periods: Sequence[PolicyPeriod]
    answers: Sequence[AnswerRow]
    periods: Sequence[GradePeriodRow]
    closing: Closing | None
    near: Near | None = None

    @property
    def facts(self) -> CourseFacts:
        return course_facts(self.course, self.policy_periods)

    def answers_by(self, at: datetime) -> dict[str, AnswerRow]:
        """Return the latest answer up to ``at`` to each item of guidance, by its code."""
        return {one.code: one for one in reversed(self.answers) if one.recorded_at <= at}

    @cached_property
    def entries(self) -> list[ChartedEntry]:
        return parse_entries(self.rows)


def read_known_at(
    course: Course,
    system: GradingSystem,
    known_at: datetime,
    near: Near | None = None,
    *,
    is_now: bool = False,
) -> CourseKnownAt:
    """Read ``course`` as it was known at ``known_at``, in one statement.

    ``near`` an instant no more of it is read than a page about that instant needs. ``is_now``:
    identity and place are the present ones, though their rows may be stamped by the database a
    moment after the clock of the application.
    """
    params: dict[str, Any] = {
        "course": course.pk,
        "patient": course.patient_id,
        "system": system.key,
        "known_at": known_at,
    }
    if near is not None:
        params |= near.params | {"infused_at": course.infused_at}
    with connection.cursor() as cursor:
        cursor.execute(_SQL_ALL if near is None else _SQL_NEAR, params)
        entries, decided, answers, periods, changes = cursor.fetchone()
    then = course_then(course, changes, LATEST if is_now else known_at)
    return CourseKnownAt(
        course=then.course,
        known_at=known_at,
        rows=parse_entry_rows(entries),
        policy_periods=policy_periods_for(course, parse_policy_periods(decided)),
        answers=parse_answers(answers),
        periods=parse_periods(periods),
        closing=then.closing,
        near=near,
    )


class PeriodKnownAt(NamedTuple):
    """The period in force at an instant, as known at another.

    ``period`` is None before the infusion, after a death of another cause, and where nothing was
    known of the course yet; ``is_graded`` is false in the last case alone.
    """

    period: GradePeriodRow | None
    is_graded: bool


def read_period_at(
    course_id: uuid.UUID, system: GradingSystem, *, at: datetime, known_at: datetime
) -> PeriodKnownAt:
    """Read the period in force at ``at`` as the chart had it at ``known_at``."""
    known = periods_known_at(course_id, system, known_at)
    period = known.filter(valid__contains=at).first()
    if period is not None:
        return PeriodKnownAt(period_row_of(period), is_graded=True)
    return PeriodKnownAt(None, is_graded=known.exists())

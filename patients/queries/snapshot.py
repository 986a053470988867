"""Read a course from its last checkpoint in one statement: for a save, or for a page."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import connection

from grading.engine.checkpoint import ResumePoint
from grading.engine.grading_system import GradingSystem
from patients.models import Course
from patients.queries.entries import (
    SQL_ENTRIES_FROM_CHECKPOINT,
    EntryRow,
    parse_graded_rows,
    split_by_use,
)
from patients.queries.grades import GradePeriodRow, sql_known_now, sql_start_of_period
from patients.queries.guidance_answers import SQL_LATEST_ANSWERS, AnswerRow, parse_latest_answers
from patients.queries.policies import (
    SQL_DECIDED_POLICIES,
    PolicyPeriod,
    parse_policy_periods,
    policy_periods_for,
)

SQL_PERIODS_OF: Final = """SELECT jsonb_agg(
        jsonb_build_array(period.id, lower(period.valid), upper(period.valid), period.grade,
            period.at_most, period.findings, period.ruleset_version, period.policy_id)
        ORDER BY lower(period.valid)
    )
    FROM patients_gradeperiod AS period"""
"""The start of a query: one JSON text of the rows of ``period`` in order of time."""

# The clock is read once, so that no checkpoint is later than the recording time. Periods are found
# by the index on their starts: by their ends, PostgreSQL would read all periods of a course. The
# bound on the start, which every period keeps, lets it choose one plan for all courses. A save does
# not resume at checkpoints that hold nothing of other scales: it grades such a course once from its
# start and replaces them.
SQL_READ_FOR_SAVE: Final = (
    """
SELECT instant.clock, last.recorded_at, seen.id, resume.at, resume.state, latest.at, (
    {decided}
), (
    {periods_of}
    WHERE period.course_id = %(course)s AND period.system = %(system)s
        AND {known_now}
        AND (resume.at IS NULL OR upper_inf(period.valid) OR upper(period.valid) > resume.at)
        AND lower(period.valid) >= coalesce({start_at_resume}, resume.at, '-infinity')
        AND lower(period.valid) <= 'infinity'::timestamptz
), (
    {entries}
)
FROM (SELECT coalesce(%(recorded_at)s, clock_timestamp()) AS now, clock_timestamp() AS clock
      OFFSET 0) AS instant
LEFT JOIN LATERAL (
    SELECT recorded_at FROM patients_chartingact
    WHERE course_id = %(course)s ORDER BY recorded_at DESC LIMIT 1
) AS last ON true
LEFT JOIN patients_chartingact AS seen
    ON seen.course_id = %(course)s AND seen.form_id = %(form)s
LEFT JOIN LATERAL (
    SELECT at, state FROM patients_gradecheckpoint
    WHERE course_id = %(course)s AND system = %(system)s
        AND ruleset_version = %(ruleset_version)s AND at < %(changed_at)s AND at <= instant.now
        AND holds_other_scales
    ORDER BY at DESC LIMIT 1
) AS resume ON true
LEFT JOIN LATERAL (
    SELECT at FROM patients_gradecheckpoint
    WHERE course_id = %(course)s AND system = %(system)s ORDER BY at DESC LIMIT 1
) AS latest ON true
""".replace("{entries}", SQL_ENTRIES_FROM_CHECKPOINT)
    .replace("{periods_of}", SQL_PERIODS_OF)
    .replace("{decided}", SQL_DECIDED_POLICIES)
    .replace("{known_now}", sql_known_now("period"))
    .replace("{start_at_resume}", sql_start_of_period("<= resume.at"))
)


@dataclass(frozen=True, slots=True)
class SaveSnapshot:
    """All that a save needs of a locked course, from the checkpoint where the regrade resumes.

    ``clock`` is the server's time, ``last_recorded_at`` that of the latest act. ``seen_act`` is the
    act that this form was recorded as before, None for a new form. ``decided``
    are the policies decided for the course, in the order of the decisions; ``periods`` are those
    that the chart has now and that hold at the resume point or later, in order.
    """

    clock: datetime
    last_recorded_at: datetime | None
    seen_act: uuid.UUID | None
    resume: ResumePoint | None
    last_checkpoint_at: datetime | None
    decided: tuple[PolicyPeriod, ...]
    periods: tuple[GradePeriodRow, ...]
    entries: list[EntryRow]


def read_for_save(
    course: Course,
    system: GradingSystem,
    *,
    form_id: uuid.UUID,
    changed_at: datetime,
    recorded_at: datetime | None = None,
) -> SaveSnapshot:
    """Read, under the lock of ``course`` and in one statement, everything that a save needs.

    The act changes the course from ``changed_at`` on; ``recorded_at`` is set by an import alone.
    Periods and the checkpoint are those of ``system``.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            SQL_READ_FOR_SAVE,
            {
                "course": course.pk,
                "form": form_id,
                "changed_at": changed_at,
                "recorded_at": recorded_at,
                "system": system.key,
                "ruleset_version": system.version,
                "infused_at": course.infused_at,
            },
        )
        clock, last, seen, resume_at, state, latest, decided, periods, entries = cursor.fetchone()
    return SaveSnapshot(
        clock,
        last,
        seen,
        _resume_point(resume_at, state, system),
        latest,
        parse_policy_periods(decided),
        parse_periods(periods),
        parse_graded_rows(entries),
    )


def _resume_point(at: datetime | None, state: str, system: GradingSystem) -> ResumePoint | None:
    return None if at is None else ResumePoint(at, state, system.key, system.version)


def parse_periods(text: str | None) -> tuple[GradePeriodRow, ...]:
    return tuple(
        GradePeriodRow(
            pk,
            datetime.fromisoformat(start),
            None if end is None else datetime.fromisoformat(end),
            *rest,
        )
        for pk, start, end, *rest in json.loads(text or "[]")
    )


SQL_READ_FOR_PAGE: Final = (
    """
SELECT resume.at, resume.state, ({entries}), ({decided}), ({answers}), concat_ws('|',
    (SELECT recorded_at FROM patients_chartingact
        WHERE course_id = %(course)s ORDER BY recorded_at DESC LIMIT 1),
    (SELECT max(recorded_at) FROM patients_transfer WHERE course_id = %(course)s)),
    clock_timestamp()
FROM (SELECT 1) AS one LEFT JOIN LATERAL (
    SELECT at, state FROM patients_gradecheckpoint
    WHERE course_id = %(course)s AND system = %(system)s
        AND ruleset_version = %(ruleset_version)s AND at <= %(now)s
    ORDER BY at DESC LIMIT 1
) AS resume ON true
""".replace("{entries}", SQL_ENTRIES_FROM_CHECKPOINT)
    .replace("{decided}", SQL_DECIDED_POLICIES)
    .replace("{answers}", SQL_LATEST_ANSWERS)
)


class CourseSnapshot(NamedTuple):
    """A course from ``resume`` on, from its start where there is no checkpoint.

    ``in_force`` and ``for_guidance`` are entries as in ``SplitEntries``;
    ``policy_periods`` are those that grade it; ``answers`` are the latest to each item of guidance,
    by its code. ``recorded`` is the time of the latest act and of the latest transfer, as text;
    ``clock`` is the database's.
    """

    resume: ResumePoint | None
    in_force: list[EntryRow]
    for_guidance: list[EntryRow]
    policy_periods: list[PolicyPeriod]
    answers: dict[str, AnswerRow]
    recorded: str
    clock: datetime


def read_for_page(course: Course, now: datetime, system: GradingSystem) -> CourseSnapshot:
    """Read ``course`` at ``now`` from its last checkpoint of ``system``, for display."""
    params: dict[str, Any] = {
        "course": course.pk,
        "infused_at": course.infused_at,
        "now": now,
        "system": system.key,
        "ruleset_version": system.version,
    }
    with connection.cursor() as cursor:
        cursor.execute(SQL_READ_FOR_PAGE, params)
        at, state, entries, decided, answers, recorded, clock = cursor.fetchone()
    in_force, for_guidance = split_by_use(course, parse_graded_rows(entries), after=at)
    return CourseSnapshot(
        resume=_resume_point(at, state, system),
        in_force=in_force,
        for_guidance=for_guidance,
        policy_periods=policy_periods_for(course, parse_policy_periods(decided)),
        answers=parse_latest_answers(answers),
        recorded=recorded,
        clock=clock,
    )

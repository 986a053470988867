"""Read a course as it was known, no more of it than an instant needs: from a checkpoint on.

A checkpoint is of the present chart. It holds for what was known at an earlier time too, where
nothing that was recorded since reaches back to before it.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import connection

from grading.engine.checkpoint import ResumePoint
from grading.engine.grading_system import GradingSystem
from grading.engine.vocabulary import EARLIEST
from patients.models import Course
from patients.queries.snapshot import SQL_PERIODS_OF

_AN_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

SQL_KNOWN_THEN: Final = """
    WHERE period.course_id = %(course)s AND period.system = %(system)s
        AND period.known @> %(known_at)s::timestamptz
"""
"""Condition of a query of ``period``: of the course, as known at ``%(known_at)s``."""

_SQL_RUNS: Final = """(
    SELECT run.id, run.grade, run.at_most,
        CASE WHEN run.is_exact THEN run.findings ELSE '{}' END AS findings, run.ruleset_version,
        run.policy_id,
        tstzrange(run.begins, coalesce(lead(run.begins) OVER in_order, run.ends)) AS valid
    FROM (
        SELECT one.*, lag(one.grade) OVER (ORDER BY one.begins) AS grade_before,
            lag(one.is_exact, 1, false) OVER (ORDER BY one.begins) AS follows_exact,
            CASE WHEN NOT bool_or(upper_inf(one.valid)) OVER ()
                THEN max(upper(one.valid)) OVER () END AS ends
        FROM (
            SELECT period.*, lower(period.valid) AS begins, {exact} AS is_exact
            FROM patients_gradeperiod AS period {known_then}
        ) AS one
    ) AS run
    WHERE run.grade IS DISTINCT FROM run.grade_before OR run.is_exact OR run.follows_exact
    WINDOW in_order AS (ORDER BY run.begins)
)""".replace("{known_then}", SQL_KNOWN_THEN)
_SQL_EXACT: Final = """coalesce(period.valid @> %(at)s::timestamptz
    OR lower(period.valid) = %(run_begins)s::timestamptz
    OR upper(period.valid) = %(run_begins)s::timestamptz, false)"""
"""Condition: the period at ``%(at)s``, the first of its run, or the last before that run."""
SQL_RUNS_OF: Final = SQL_PERIODS_OF.replace(
    "patients_gradeperiod", _SQL_RUNS.replace("{exact}", _SQL_EXACT)
)
"""One JSON text like that of periods: those of ``_SQL_EXACT`` with their findings, and between
them runs of one grade without findings."""

SQL_ENTRIES_NEAR: Final = """(
    (entry.at > %(after)s AND entry.at <= %(at)s) OR entry.id = ANY(%(named)s::uuid[])
    OR entry.kind IN ('treatment', 'risk', 'baseline', 'weight')
    OR entry.at <= %(infused_at)s OR entry.at = %(run_begins)s
)"""
"""Condition: an entry that the status at ``%(at)s``, its guidance and its evidence rest on."""

# A baseline holds for the whole course, and identity decides age and infusion: where one of them
# was recorded since, no checkpoint holds.
SQL_RESUME: Final = """
WITH since AS (
    SELECT entry.kind, entry.at, before.kind AS kind_before, before.at AS at_before
    FROM patients_chartingact AS act
    JOIN patients_entry AS entry ON entry.course_id = act.course_id AND entry.act_id = act.id
    LEFT JOIN patients_entry AS before
        ON before.course_id = entry.course_id AND before.id = entry.replaces_id
    WHERE act.course_id = %(course)s AND act.recorded_at > %(known_at)s
), changed AS (
    SELECT least(
        (SELECT min(least(at, at_before)) FROM since),
        (SELECT timestamptz '-infinity' FROM since
            WHERE 'baseline' IN (kind, kind_before) LIMIT 1),
        (SELECT min(decided.valid_from) FROM patients_coursepolicy AS decided
            JOIN patients_chartingact AS act
                ON act.course_id = decided.course_id AND act.id = decided.act_id
            WHERE decided.course_id = %(course)s AND act.recorded_at > %(known_at)s),
        (SELECT timestamptz '-infinity' FROM patients_identitycorrection
            WHERE patient_id = %(patient)s AND recorded_at > %(known_at)s LIMIT 1),
        (SELECT timestamptz '-infinity' FROM patients_patientjoin
            WHERE %(patient)s IN (kept_id, joined_id) AND recorded_at > %(known_at)s LIMIT 1),
        timestamptz 'infinity'
    ) AS at
)
SELECT resume.at, resume.state,
    (SELECT max(lower(run.valid)) FROM {runs} AS run WHERE lower(run.valid) <= %(at)s)
FROM changed LEFT JOIN LATERAL (
    SELECT at, state FROM patients_gradecheckpoint
    WHERE course_id = %(course)s AND system = %(system)s AND ruleset_version = %(version)s
        AND at <= %(at)s AND at < changed.at
    ORDER BY at DESC LIMIT 1
) AS resume ON true
""".replace("{runs}", _SQL_RUNS.replace("{exact}", "false"))


class Near(NamedTuple):
    """Where grading resumes for the instant ``at``, and which run of one grade holds then.

    ``resume`` None is the infusion, ``run_begins`` None no run.
    """

    at: datetime
    resume: ResumePoint | None
    run_begins: datetime | None

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of ``SQL_ENTRIES_NEAR``; the state names the entries that still hold."""
        named = [] if self.resume is None else sorted(set(_AN_ID.findall(self.resume.state)))
        return {
            "at": self.at,
            "after": EARLIEST if self.resume is None else self.resume.at,
            "named": named,
            "run_begins": self.run_begins,
        }


def read_near(course: Course, system: GradingSystem, *, at: datetime, known_at: datetime) -> Near:
    """Read the last checkpoint that holds at ``at`` of what was known at ``known_at``."""
    with connection.cursor() as cursor:
        cursor.execute(SQL_RESUME, resume_params(course, system, at=at, known_at=known_at))
        return near_of(system, at, *cursor.fetchone())


def resume_params(
    course: Course, system: GradingSystem, *, at: datetime, known_at: datetime
) -> dict[str, Any]:
    """Return the parameters of ``SQL_RESUME``."""
    return {
        "course": course.pk,
        "patient": course.patient_id,
        "system": system.key,
        "version": system.version,
        "at": at,
        "known_at": known_at,
    }


def near_of(
    system: GradingSystem,
    at: datetime,
    resume_at: datetime | None,
    state: str,
    run_begins: datetime | None,
) -> Near:
    """Return what the columns of ``SQL_RESUME`` say of the instant ``at``."""
    resume = None
    if resume_at is not None:
        resume = ResumePoint(resume_at, state, system.key, system.version)
    return Near(at, resume, run_begins)

"""Read sign-offs, and beside them the runs of one computed grade that they are about."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db import connection

from grading.engine.grading_system import GradingSystem
from patients.models import GradeReview
from patients.queries.assessed import SQL_ASSESSED_SINCE, SQL_ASSESSED_SINCE_THEN
from patients.queries.entries import sql_not_replaced_then
from patients.queries.grades import sql_known_now

SIGNED_AGAIN_AFTER: Final = timedelta(hours=12)
"""How long after its sign-off an open run waits for no other sign-off: one shift."""


class Run(NamedTuple):
    """A run of one computed grade: stored periods that follow one another; ``end`` None is open."""

    start: datetime
    end: datetime | None
    grade: int


class SignOff(NamedTuple):
    """A stored sign-off as plain columns; see ``GradeReview``."""

    pk: int
    start: datetime
    end: datetime
    computed_grade: int
    stated_grade: int
    reason: str
    words: str
    recorded_at: datetime
    author_id: int
    author_name: str
    author_role: str
    entry_number: int

    @property
    def was_open(self) -> bool:
        """Whether the period still went on when it was signed."""
        return self.end == self.recorded_at

    @property
    def disagrees(self) -> bool:
        return self.stated_grade != self.computed_grade


class CourseReviews(NamedTuple):
    """The runs and sign-offs of a course, in order, and up to where its chart was recorded.

    ``recorded_until`` is the time of the last act, ``entry_number`` how many entries there are and
    ``last_entry_id`` the last of them by recording, recorded at ``last_entry_at``.
    ``latest_clinical_at`` is the latest clinical time of an entry that was neither retracted nor
    replaced. ``assessed_since`` is from when on a grade 0 is known; None where it is not known.
    ``seen_until`` is up to where the reader has seen the chart: by *Mark as seen* or by signing;
    None before the first time.
    """

    runs: list[Run]
    sign_offs: list[SignOff]
    recorded_until: datetime | None
    entry_number: int
    last_entry_id: uuid.UUID | None
    last_entry_at: datetime | None
    latest_clinical_at: datetime | None
    assessed_since: datetime | None
    seen_until: datetime | None


SQL_RUNS: Final = """
SELECT course_id, CAST(json_agg(json_build_array(start, until, grade) ORDER BY start) AS text)
FROM (
    SELECT course_id, min(start) AS start, grade,
        CASE WHEN bool_and(until IS NOT NULL) THEN max(until) END AS until
    FROM (
        SELECT *, count(*) FILTER (WHERE is_first)
            OVER (PARTITION BY course_id ORDER BY start) AS run
        FROM (
            SELECT course_id, lower(valid) AS start, upper(valid) AS until, grade,
                lag(grade) OVER by_start IS DISTINCT FROM grade
                    OR lag(upper(valid)) OVER by_start IS DISTINCT FROM lower(valid) AS is_first
            FROM patients_gradeperiod
            WHERE course_id {courses} AND system = %(system)s AND {known}
                AND lower(valid) <= {now}
            WINDOW by_start AS (PARTITION BY course_id ORDER BY lower(valid))
        ) AS period
    ) AS numbered
    GROUP BY course_id, run, grade
) AS run
GROUP BY course_id
"""
"""For each course one JSON text: its runs that have begun by ``{now}``, in order."""
_COLUMNS: Final = (
    "id", "start", "\"end\"", "computed_grade", "stated_grade", "reason", "words", "recorded_at",
    "recorded_by_id", "author_name", "author_role", "entry_number",
)  # fmt: skip
SQL_SIGN_OFFS_AS_JSON: Final = (
    "CAST(json_agg(json_build_array("
    + ", ".join(f"review.{column}" for column in _COLUMNS)
    + ") ORDER BY review.id DESC) AS text)"
)
"""Column: one JSON text with the sign-offs ``review``, newest first."""

SQL_COURSE_REVIEWS: Final = """
SELECT (SELECT as_text FROM ({runs}) AS one_course (course_id, as_text)), (
    SELECT {sign_offs} FROM patients_gradereview AS review
    WHERE course_id = %(course)s AND system = %(system)s AND recorded_at <= %(until)s
), (
    SELECT max(recorded_at) FROM patients_chartingact
    WHERE course_id = %(course)s AND recorded_at <= %(until)s
), (
    SELECT count(*) FROM patients_entry
    WHERE course_id = %(course)s AND recorded_at <= %(entries_until)s
), last.id, last.recorded_at, (
    SELECT at FROM patients_entry AS entry
    WHERE course_id = %(course)s AND recorded_at <= %(until)s AND kind <> 'retraction'
        AND {in_force}
    ORDER BY at DESC LIMIT 1
), {assessed_since}, greatest((
    SELECT max(known_at) FROM patients_courseseen
    WHERE course_id = %(course)s AND reader_id = %(reader)s
), (
    SELECT max(known_at) FROM patients_gradereview
    WHERE course_id = %(course)s AND recorded_by_id = %(reader)s
))
FROM (SELECT) AS one LEFT JOIN LATERAL (
    SELECT entry.id, act.recorded_at FROM patients_chartingact AS act
    JOIN patients_entry AS entry ON entry.course_id = act.course_id AND entry.act_id = act.id
    WHERE act.course_id = %(course)s AND act.recorded_at <= %(entries_until)s
    ORDER BY act.recorded_at DESC, entry.place DESC LIMIT 1
) AS last ON true
"""
SQL_REVIEWS_OF_COURSES: Final = f"""
SELECT course_id, run.as_text, signed.as_text
FROM ({{runs}}) AS run (course_id, as_text) FULL JOIN (
    SELECT course_id, {SQL_SIGN_OFFS_AS_JSON} FROM patients_gradereview AS review
    WHERE course_id = ANY(%(courses)s::uuid[]) AND system = %(system)s
    GROUP BY course_id
) AS signed (course_id, as_text) USING (course_id)
"""  # noqa: S608 - made of constants
SQL_SIGN_OFFS_WITHIN: Final = """
SELECT {sign_offs} FROM patients_gradereview AS review
WHERE course_id = %(course)s
    AND recorded_at >= coalesce({since}, '-infinity')
    AND recorded_at < coalesce({until}, 'infinity')
""".replace("{sign_offs}", SQL_SIGN_OFFS_AS_JSON)
"""One JSON text: the sign-offs of a course recorded in [since, until), newest first."""
SQL_REVIEWED: Final = """
SELECT CASE WHEN EXISTS (
    SELECT FROM patients_gradereview WHERE course_id = %(course)s AND system = %(system)s
) THEN json_build_array((SELECT as_text FROM ({runs}) AS one_course (course_id, as_text)), (
    SELECT {sign_offs} FROM patients_gradereview AS review
    WHERE course_id = %(course)s AND system = %(system)s
))::text END
"""
"""One JSON text: runs and sign-offs of a course that has sign-offs; see ``parse_reviewed``."""
SQL_GRADES_OF_INSTANT: Final = """
SELECT grade, lower(known) FROM patients_gradeperiod
WHERE course_id = %(course)s AND system = %(system)s AND valid @> %(at)s::timestamptz
ORDER BY lower(known) DESC
"""


def sql_runs(courses: str = "= %(course)s", *, known_at: str = "", now: str = "%(now)s") -> str:
    """Return ``SQL_RUNS`` of ``courses`` up to ``now``, as known now or at ``known_at``."""
    known = f"known @> {known_at}::timestamptz" if known_at else sql_known_now()
    return SQL_RUNS.format(courses=courses, known=known, now=now)


def read_course_reviews(
    course_id: uuid.UUID,
    system: GradingSystem,
    now: datetime,
    *,
    reader_id: int | None = None,
    known_at: datetime | None = None,
    entries_until: datetime | None = None,
) -> CourseReviews:
    """Read runs and sign-offs of a course up to ``now``, in one statement.

    ``known_at`` reads all as it was known then. ``entries_until`` counts the entries recorded by
    then alone.
    """
    latest = datetime.max.replace(tzinfo=now.tzinfo)
    params: dict[str, Any] = {
        "course": course_id,
        "system": system.key,
        "now": now,
        "known_at": known_at,
        "until": known_at or latest,
        "entries_until": entries_until or known_at or latest,
        "reader": reader_id,
    }
    runs = sql_runs() if known_at is None else sql_runs(known_at="%(known_at)s")
    assessed_since = SQL_ASSESSED_SINCE if known_at is None else SQL_ASSESSED_SINCE_THEN
    statement = SQL_COURSE_REVIEWS.format(
        runs=runs,
        sign_offs=SQL_SIGN_OFFS_AS_JSON,
        assessed_since=assessed_since,
        in_force=sql_not_replaced_then("entry", "%(until)s"),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        periods, sign_offs, *others = cursor.fetchone()
    return CourseReviews(parse_runs(periods), parse_sign_offs(sign_offs), *others)


def read_reviews_of_courses(
    course_ids: Iterable[uuid.UUID], system: GradingSystem, now: datetime
) -> dict[uuid.UUID, tuple[list[Run], list[SignOff]]]:
    """Read the runs that each course has now, up to ``now``, and its sign-offs, newest first.

    In one statement; a course that has neither is left out.
    """
    statement = SQL_REVIEWS_OF_COURSES.format(runs=sql_runs("= ANY(%(courses)s::uuid[])"))
    params: dict[str, Any] = {"courses": list(course_ids), "system": system.key, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return {
            course_id: (parse_runs(runs), parse_sign_offs(sign_offs))
            for course_id, runs, sign_offs in cursor.fetchall()
        }


def read_grade_since(course_id: uuid.UUID, system: GradingSystem, at: datetime) -> datetime | None:
    """Read since when the chart has said for ``at`` what it says now; None for no grade."""
    params: dict[str, Any] = {"course": course_id, "system": system.key, "at": at}
    with connection.cursor() as cursor:
        cursor.execute(SQL_GRADES_OF_INSTANT, params)
        rows = cursor.fetchall()
    since = None
    for grade, known_from in rows:
        if grade != rows[0][0]:
            break
        since = known_from
    return since


def sql_reviewed() -> str:
    """Return ``SQL_REVIEWED`` as the chart has it now, up to ``%(now)s``."""
    return SQL_REVIEWED.format(runs=sql_runs(), sign_offs=SQL_SIGN_OFFS_AS_JSON)


def parse_reviewed(text: str | None) -> tuple[list[Run], list[SignOff]]:
    """Return the runs and sign-offs of one text of ``SQL_REVIEWED``."""
    runs, sign_offs = json.loads(text or "[null, null]")
    return parse_runs(runs), parse_sign_offs(sign_offs)


def parse_runs(text: str | None) -> list[Run]:
    """Return the runs of one text of ``SQL_RUNS``."""
    return [
        Run(
            datetime.fromisoformat(start),
            None if end is None else datetime.fromisoformat(end),
            grade,
        )
        for start, end, grade in json.loads(text or "[]")
    ]


def parse_sign_offs(text: str | None) -> list[SignOff]:
    """Return the sign-offs of ``SQL_SIGN_OFFS_AS_JSON``; None stands for no rows."""
    return [_parse_sign_off(*columns) for columns in json.loads(text or "[]")]


def _parse_sign_off(pk: int, start: str, end: str, *others: Any) -> SignOff:
    computed, stated, reason, words, recorded_at, author_id, name, role, number = others
    return SignOff(
        pk=pk,
        start=datetime.fromisoformat(start),
        end=datetime.fromisoformat(end),
        computed_grade=computed,
        stated_grade=stated,
        reason=reason,
        words=words,
        recorded_at=datetime.fromisoformat(recorded_at),
        author_id=author_id,
        author_name=name,
        author_role=role,
        entry_number=number,
    )


def sign_off_of(review: GradeReview) -> SignOff:
    """Return the row of a sign-off that was stored just now."""
    return SignOff(
        pk=review.pk,
        start=review.start,
        end=review.end,
        computed_grade=review.computed_grade,
        stated_grade=review.stated_grade,
        reason=review.reason,
        words=review.words,
        recorded_at=review.recorded_at,
        author_id=review.recorded_by_id,
        author_name=review.author_name,
        author_role=review.author_role,
        entry_number=review.entry_number,
    )

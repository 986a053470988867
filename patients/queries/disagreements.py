"""Read what reviewers stated beside what was computed, by criterion."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple

from django.db import connection

_AT_ONCE: Final = 500

SQL_DECIDING: Final = """
LEFT JOIN LATERAL (
    SELECT DISTINCT criterion ->> 'code' AS code
    FROM patients_gradeperiod AS period, jsonb_array_elements(period.findings -> 'criteria')
        AS criterion
    WHERE period.course_id = review.course_id AND period.system = review.system
        AND period.known @> review.known_at
        AND period.valid && tstzrange(review.start, review."end")
        AND CAST(criterion ->> 'grade' AS integer) = review.computed_grade
) AS deciding ON true
"""
"""Join: the criteria that decided the grade of a ``review``, as known when it was signed."""
SQL_BY_CRITERION: Final = f"""
SELECT deciding.code, count(*), count(*) FILTER (WHERE stated_grade = computed_grade),
    count(*) FILTER (WHERE stated_grade < computed_grade),
    count(*) FILTER (WHERE stated_grade > computed_grade)
FROM patients_gradereview AS review {SQL_DECIDING}
GROUP BY deciding.code
ORDER BY count(*) FILTER (WHERE stated_grade <> computed_grade) DESC, count(*) DESC, deciding.code
"""  # noqa: S608 - made of constants
SQL_DISAGREEMENTS: Final = f"""
SELECT review.course_id, patient.mrn, patient.name, review.start, review."end",
    review.computed_grade, review.stated_grade, review.reason, review.words,
    author.username, review.author_name, review.author_role, review.recorded_at, review.known_at,
    review.entry_number, review.ruleset_version,
    coalesce(array_agg(deciding.code ORDER BY deciding.code)
        FILTER (WHERE deciding.code IS NOT NULL), '{{}}')
FROM patients_gradereview AS review
JOIN patients_course AS course ON course.id = review.course_id
JOIN patients_patient AS patient ON patient.id = course.patient_id
JOIN accounts_user AS author ON author.id = review.recorded_by_id
{SQL_DECIDING}
WHERE review.stated_grade <> review.computed_grade
GROUP BY review.id, patient.id, author.id
ORDER BY review.id DESC LIMIT %(limit)s
"""  # noqa: S608 - made of constants


class CriterionCount(NamedTuple):
    """How often a grade that a criterion decided was signed, and how often another was stated.

    ``code`` None: no criterion was met.
    """

    code: str | None
    signed: int
    agreed: int
    lower: int
    higher: int


class Disagreement(NamedTuple):
    """A sign-off that states another grade than the computed one, with its course.

    ``codes`` are the criteria that decided the computed grade.
    """

    course_id: uuid.UUID
    mrn: str
    name: str
    start: datetime
    end: datetime
    computed_grade: int
    stated_grade: int
    reason: str
    words: str
    username: str
    author_name: str
    author_role: str
    recorded_at: datetime
    known_at: datetime
    entry_number: int
    ruleset_version: str
    codes: list[str]


def count_by_criterion() -> list[CriterionCount]:
    """Count all sign-offs by the criteria that decided, the most disagreed first."""
    with connection.cursor() as cursor:
        cursor.execute(SQL_BY_CRITERION)
        return [CriterionCount(*row) for row in cursor.fetchall()]


def read_disagreements(limit: int | None = None) -> Iterator[Disagreement]:
    """Read the disagreements, newest first, in one statement; ``limit`` None reads all."""
    with connection.cursor() as cursor:
        cursor.execute(SQL_DISAGREEMENTS, {"limit": limit})
        while rows := cursor.fetchmany(_AT_ONCE):
            for row in rows:
                yield Disagreement(*row)

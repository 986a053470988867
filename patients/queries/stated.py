"""Read what people stated beside the entries of a course: sign-offs, answers, statements."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import connection

from crs_app.accounts.models import Role, display_name_of
from grading.engine.grading_system import GradingSystem
from patients.models import BY_EMERGENCY
from patients.queries.summary import Statement, read_statements


class SignedGrade(NamedTuple):
    """A sign-off as an export has it; see ``GradeReview``."""

    start: datetime
    end: datetime
    computed_grade: int
    stated_grade: int
    reason: str
    words: str
    last_entry_id: str | None
    ruleset_version: str
    recorded_at: datetime
    author: str
    role: str


class AdviceAnswer(NamedTuple):
    """An answer to treatment advice as an export has it; see ``GuidanceAnswer``."""

    code: str
    summary: str
    grade: int
    at_most: int
    ruleset_version: str
    reply: str
    reason: str
    returns_at: datetime | None
    treatment_id: str | None
    recorded_at: datetime
    author: str
    role: str
    by_emergency: bool


class StatedOfCourse(NamedTuple):
    """All that was stated about a course, each kind in the order in which it was recorded."""

    sign_offs: Sequence[SignedGrade]
    answers: Sequence[AdviceAnswer]
    statements: Sequence[Statement]


_SQL_STATED: Final = """
SELECT (
    SELECT CAST(json_agg(json_build_array(review.start, review."end", review.computed_grade,
        review.stated_grade, review.reason, review.words, review.last_entry_id,
        review.ruleset_version, review.recorded_at, review.author_name, review.author_role)
        ORDER BY review.id) AS text)
    FROM patients_gradereview AS review
    WHERE review.course_id = %(course)s AND review.system = %(system)s
        AND review.recorded_at <= %(known_at)s
), (
    SELECT CAST(json_agg(json_build_array(answer.code, answer.summary, answer.grade,
        answer.at_most, answer.ruleset_version, answer.reply, answer.reason, answer.returns_at,
        answer.treatment_id, answer.recorded_at, author.username, author.first_name,
        author.last_name, act.author_name, act.author_role,
        (act.answers ->> %(by_emergency)s) IS NOT DISTINCT FROM 'true')
        ORDER BY answer.recorded_at, answer.id) AS text)
    FROM patients_guidanceanswer AS answer
        JOIN patients_chartingact AS act
            ON act.course_id = answer.course_id AND act.id = answer.act_id
        JOIN accounts_user AS author ON author.id = answer.recorded_by_id
    WHERE answer.course_id = %(course)s AND answer.recorded_at <= %(known_at)s
)
"""


def read_stated(course_id: uuid.UUID, system: GradingSystem, known_at: datetime) -> StatedOfCourse:
    """Read what had been stated about a course by ``known_at``, in two statements."""
    params: dict[str, Any] = {
        "course": course_id,
        "system": system.key,
        "known_at": known_at,
        "by_emergency": BY_EMERGENCY,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL_STATED, params)
        sign_offs, answers = cursor.fetchone()
    return StatedOfCourse(
        [_sign_off(*row) for row in json.loads(sign_offs or "[]")],
        [_answer(*row) for row in json.loads(answers or "[]")],
        read_statements(course_id, known_at),
    )


def _sign_off(*row: Any) -> SignedGrade:
    start, end, *facts, recorded_at, author, role = row
    times = (datetime.fromisoformat(start), datetime.fromisoformat(end))
    by = (datetime.fromisoformat(recorded_at), author, Role(role).label)
    return SignedGrade(*(*times, *facts, *by))


def _answer(*row: Any) -> AdviceAnswer:
    *facts, returns_at, treatment_id, recorded_at = row[:10]
    *names, kept_name, kept_role, by_emergency = row[10:]
    times = (
        None if returns_at is None else datetime.fromisoformat(returns_at),
        treatment_id,
        datetime.fromisoformat(recorded_at),
    )
    role = Role(kept_role).label if kept_role else ""
    by = (kept_name or display_name_of(*names), role, by_emergency)
    return AdviceAnswer(*(*facts, *times, *by))

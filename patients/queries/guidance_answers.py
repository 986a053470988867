"""Read the answers to guidance."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from typing import Final, NamedTuple

from django.db import connection

from crs_app.accounts.models import display_name_of
from patients.models import BY_EMERGENCY, GuidanceAnswer
from patients.queries.entries import SQL_NAMES, SQL_NAMES_THEN, sql_replaced


class AnswerRow(NamedTuple):
    """An answer and its author as plain columns: cheaper than a model.

    ``charted``: *done* charted a treatment with it; ``was_replaced``: that treatment was retracted
    or corrected since. ``author_role`` is the role that its act kept, "" where it was not read.
    """

    pk: uuid.UUID
    code: str
    summary: str
    grade: int
    reply: str
    reason: str
    returns_at: datetime | None
    recorded_at: datetime
    charted: bool
    was_replaced: bool
    author: str
    author_role: str = ""
    by_emergency: bool = False


_BY_EMERGENCY: Final = (
    "(SELECT answers ->> 'by_emergency_access' = 'true' FROM patients_chartingact AS made"
    " WHERE made.course_id = answer.course_id AND made.id = answer.act_id) IS TRUE"
)
SQL_ANSWERS_AS_JSON: Final = (
    """CAST(json_agg(
    json_build_array(answer.id, answer.code, answer.summary, answer.grade, answer.reply,
        answer.reason, answer.returns_at, answer.recorded_at, answer.treatment_id IS NOT NULL,
        {treatment_replaced}, {by_emergency},
        json_build_array({names}))
    ORDER BY answer.recorded_at DESC
) AS text)""".replace(
        "{treatment_replaced}", sql_replaced("answer.treatment_id", "answer.course_id")
    )
    .replace("{names}", SQL_NAMES)
    .replace("{by_emergency}", _BY_EMERGENCY)
)
SQL_LATEST_ANSWERS: Final = """
SELECT {as_json}
FROM (
    SELECT DISTINCT ON (code) * FROM patients_guidanceanswer
    WHERE course_id = %(course)s ORDER BY code, recorded_at DESC
) AS answer JOIN accounts_user AS author ON author.id = answer.recorded_by_id
""".replace("{as_json}", SQL_ANSWERS_AS_JSON)
"""One JSON text: the latest answer to each item of guidance on a course."""
SQL_ANSWERS_THEN: Final = """
SELECT {as_json}
FROM patients_guidanceanswer AS answer
JOIN accounts_user AS author ON author.id = answer.recorded_by_id
JOIN patients_chartingact AS act ON act.course_id = answer.course_id AND act.id = answer.act_id
WHERE answer.course_id = %(course)s AND answer.recorded_at <= %(known_at)s
""".replace(
    "{as_json}",
    SQL_ANSWERS_AS_JSON.replace(SQL_NAMES, SQL_NAMES_THEN).replace(
        "later.replaces_id = answer.treatment_id",
        "later.replaces_id = answer.treatment_id AND later.recorded_at <= %(known_at)s",
    ),
)
"""One JSON text: every answer as it was known at ``%(known_at)s``, newest first."""
SQL_ANSWERS_WITHIN: Final = """
SELECT {as_json}
FROM patients_guidanceanswer AS answer
JOIN accounts_user AS author ON author.id = answer.recorded_by_id
WHERE answer.course_id = %(course)s
    AND answer.recorded_at >= coalesce({since}, '-infinity')
    AND answer.recorded_at < coalesce({until}, 'infinity')
""".replace("{as_json}", SQL_ANSWERS_AS_JSON)
"""One JSON text: the answers on a course in [since, until), newest first."""


def parse_latest_answers(text: str | None) -> dict[str, AnswerRow]:
    """Return the answers of ``SQL_LATEST_ANSWERS``, by the item's code."""
    return {answer.code: answer for answer in parse_answers(text)}


def parse_answers(text: str | None) -> list[AnswerRow]:
    """Return the answers of ``SQL_ANSWERS_AS_JSON``; None, an aggregate of no rows, has none."""
    rows = []
    for (
        pk,
        *words,
        returns_at,
        recorded_at,
        charted,
        was_replaced,
        by_emergency,
        author,
    ) in json.loads(text or "[]"):
        code, summary, grade, reply, reason = words
        names, kept = author[:3], author[3:]
        rows.append(
            AnswerRow(
                pk=uuid.UUID(pk),
                code=code,
                summary=summary,
                grade=grade,
                reply=reply,
                reason=reason,
                returns_at=None if returns_at is None else datetime.fromisoformat(returns_at),
                recorded_at=datetime.fromisoformat(recorded_at),
                charted=charted,
                was_replaced=was_replaced,
                author=kept[0] if kept and kept[0] else display_name_of(*names),
                author_role=kept[1] if kept else "",
                by_emergency=by_emergency,
            )
        )
    return rows


def answer_row_of(answer: GuidanceAnswer) -> AnswerRow:
    """Return the row of an answer that was stored just now."""
    return AnswerRow(
        pk=answer.pk,
        code=answer.code,
        summary=answer.summary,
        grade=answer.grade,
        reply=answer.reply,
        reason=answer.reason,
        returns_at=answer.returns_at,
        recorded_at=answer.recorded_at,
        charted=answer.treatment_id is not None,
        was_replaced=False,
        author=answer.recorded_by.display_name,
        by_emergency=BY_EMERGENCY in answer.act.answers,
    )


def read_latest_answers(course_id: uuid.UUID) -> dict[str, AnswerRow]:
    """Read the latest answer to each item of guidance on a course, by the item's code."""
    with connection.cursor() as cursor:
        cursor.execute(SQL_LATEST_ANSWERS, {"course": course_id})
        return parse_latest_answers(cursor.fetchone()[0])


SQL_ALL_ANSWERS: Final = SQL_ANSWERS_WITHIN.format(
    since="NULL::timestamptz", until="NULL::timestamptz"
)


def read_all_answers(course_id: uuid.UUID) -> list[AnswerRow]:
    """Read every answer on a course, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(SQL_ALL_ANSWERS, {"course": course_id})
        return parse_answers(cursor.fetchone()[0])


def read_answers_then(course_id: uuid.UUID, known_at: datetime) -> list[AnswerRow]:
    """Read every answer on a course as it was known at ``known_at``, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(SQL_ANSWERS_THEN, {"course": course_id, "known_at": known_at})
        return parse_answers(cursor.fetchone()[0])

"""The answers to guidance as they are read: the latest of each item, in the timeline, in a file."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from grading.engine.algorithm import Reply
from patients.chart import name_of
from patients.models import GuidanceAnswer
from patients.panels import TimelineRow
from patients.wording import clock_text

GUIDANCE: Final = "guidance"
"""The kind of a timeline row that is an answer."""
COLUMNS: Final = (
    "course", "mrn", "item", "item_said", "grade", "could_be", "answer", "reason", "asks_again_at",
    "charted", "user", "answered_at", "ruleset_version",
)  # fmt: skip
_STARTS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


class AnswerRow(NamedTuple):
    """An answer as it is read, without the weight of a model.

    ``charted``: *done* charted a treatment with it; ``charted_anew``: that one was taken back or
    corrected since.
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
    charted_anew: bool
    author: str


_AS_JSON: Final = """CAST(json_agg(
    json_build_array(answer.id, answer.code, answer.summary, answer.grade, answer.reply,
        answer.reason, answer.returns_at, answer.recorded_at, answer.treatment_id IS NOT NULL,
        EXISTS (SELECT FROM patients_entry AS later WHERE later.replaces_id = answer.treatment_id),
        json_build_array(author.username, author.first_name, author.last_name))
    ORDER BY answer.recorded_at DESC
) AS text)"""
LATEST: Final = """
SELECT {as_json}
FROM (
    SELECT DISTINCT ON (code) * FROM patients_guidanceanswer
    WHERE course_id = %(course)s ORDER BY code, recorded_at DESC
) AS answer JOIN accounts_user AS author ON author.id = answer.recorded_by_id
""".replace("{as_json}", _AS_JSON)
"""As one JSON value: the latest answer to each item of a course."""
GIVEN_WITHIN: Final = """
SELECT {as_json}
FROM patients_guidanceanswer AS answer
JOIN accounts_user AS author ON author.id = answer.recorded_by_id
WHERE answer.course_id = %(course)s
    AND answer.recorded_at >= coalesce({since}, '-infinity')
    AND answer.recorded_at < coalesce({until}, 'infinity')
""".replace("{as_json}", _AS_JSON)
"""As one JSON value: the answers given on a course in [since, until), newest first."""


def answers_from(said: str | None) -> dict[str, AnswerRow]:
    """The answers of ``LATEST``, by the item's code."""
    return {answer.code: answer for answer in _rows_from(said)}


def _rows_from(said: str | None) -> list[AnswerRow]:
    rows = []
    for pk, *words, returns_at, recorded_at, charted, anew, author in json.loads(said or "[]"):
        code, summary, grade, reply, reason = words
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
                charted_anew=anew,
                author=name_of(*author),
            )
        )
    return rows


def row_of(answer: GuidanceAnswer) -> AnswerRow:
    """An answer that was stored just now."""
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
        charted_anew=False,
        author=answer.recorded_by.display_name,
    )


def latest_answers(course_id: uuid.UUID) -> dict[str, AnswerRow]:
    """The latest answer to each item of a course, by the item's code."""
    with connection.cursor() as cursor:
        cursor.execute(LATEST, {"course": course_id})
        return answers_from(cursor.fetchone()[0])


def answer_rows(course_id: uuid.UUID) -> list[TimelineRow]:
    """Every answer on a course as rows of the timeline, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(_ALL, {"course": course_id})
        return answer_rows_from(cursor.fetchone()[0])


_ALL: Final = GIVEN_WITHIN.format(since="NULL::timestamptz", until="NULL::timestamptz")


def answer_rows_from(said: str | None) -> list[TimelineRow]:
    """The answers of ``GIVEN_WITHIN`` as rows of the timeline, newest first."""
    return [answer_row(answer) for answer in _rows_from(said)]


def answer_row(answer: AnswerRow) -> TimelineRow:
    """One answer as a row of the timeline."""
    return TimelineRow(
        key=f"answer-{answer.pk}",
        at=answer.recorded_at,
        kind=GUIDANCE,
        text=f"{answer_text(answer)} · {answer.summary}",
        author=answer.author,
        recorded_at=answer.recorded_at,
    )


def answer_text(answer: AnswerRow) -> str:
    """The answer in words: "Not now, asks again at 13:18", "Not appropriate: palliative care"."""
    said = Reply(answer.reply).label
    if answer.returns_at is not None:
        return f"{said}, asks again at {clock_text(answer.returns_at, answer.recorded_at)}"
    return f"{said}: {answer.reason}" if answer.reason else said


def exported(course_id: uuid.UUID | None = None) -> Iterator[str]:
    """The answers of every course, or of one, as the lines of a CSV file, oldest first."""
    answers: QuerySet[GuidanceAnswer] = GuidanceAnswer.objects.select_related(
        "recorded_by", "treatment", "course__patient"
    ).order_by("recorded_at")
    if course_id is not None:
        answers = answers.filter(course_id=course_id)
    yield _line(COLUMNS)
    for answer in answers.iterator(chunk_size=500):
        yield _line(_exported(answer))


def _exported(answer: GuidanceAnswer) -> Iterable[Any]:
    treatment = answer.treatment
    charted = "" if treatment is None else " ".join(
        part for part in (treatment.body["agent"], treatment.body.get("dose_mg")) if part
    )  # fmt: skip
    return (
        answer.course_id,
        answer.course.patient.mrn,
        answer.code,
        answer.summary,
        answer.grade,
        answer.at_most,
        answer.reply,
        answer.reason,
        _time(answer.returns_at),
        f"{charted} mg" if treatment is not None and treatment.body.get("dose_mg") else charted,
        answer.recorded_by.username,
        _time(answer.recorded_at),
        answer.ruleset_version,
    )


def _time(instant: datetime | None) -> str:
    return "" if instant is None else timezone.localtime(instant).isoformat(timespec="seconds")


def _line(cells: Iterable[Any]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([as_text(str(cell)) for cell in cells])
    return line.getvalue()


def as_text(cell: str) -> str:
    """``cell`` so that a spreadsheet shows it and never runs it: an apostrophe before a formula."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_STARTS_A_FORMULA) else cell

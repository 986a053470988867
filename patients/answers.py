"""The answers to guidance as they are read: the latest of each item, in the timeline, in a file."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from grading.engine.algorithm import Reply
from patients.models import GuidanceAnswer
from patients.panels import TimelineRow
from patients.queries.guidance_answers import SQL_ALL_ANSWERS, AnswerRow, parse_answers
from patients.wording import clock_text

GUIDANCE: Final = "guidance"
"""The kind of a timeline row that is an answer."""
COLUMNS: Final = (
    "course", "mrn", "item", "item_said", "grade", "could_be", "answer", "reason", "asks_again_at",
    "charted", "user", "answered_at", "ruleset_version",
)  # fmt: skip
_STARTS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def answer_rows(course_id: uuid.UUID) -> list[TimelineRow]:
    """Every answer on a course as rows of the timeline, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(SQL_ALL_ANSWERS, {"course": course_id})
        return answer_rows_from(cursor.fetchone()[0])


def answer_rows_from(said: str | None) -> list[TimelineRow]:
    """The answers of ``GIVEN_WITHIN`` as rows of the timeline, newest first."""
    return [answer_row(answer) for answer in parse_answers(said)]


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

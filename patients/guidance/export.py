"""Answers to guidance as a CSV file."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.db.models import QuerySet

from crs_app.spreadsheet import csv_line, csv_time
from patients.models import GuidanceAnswer

COLUMNS: Final = (
    "course", "mrn", "item", "item_said", "grade", "could_be", "answer", "reason", "asks_again_at",
    "charted", "user", "answered_at", "ruleset_version",
)  # fmt: skip


def answers_as_csv(course_id: uuid.UUID | None = None) -> Iterator[str]:
    """Yield the answers of all courses, or of one, as lines of a CSV file, oldest first."""
    answers: QuerySet[GuidanceAnswer] = GuidanceAnswer.objects.select_related(
        "recorded_by", "treatment", "course__patient"
    ).order_by("recorded_at")
    if course_id is not None:
        answers = answers.filter(course_id=course_id)
    yield csv_line(COLUMNS)
    for answer in answers.iterator(chunk_size=500):
        yield csv_line(_cells(answer))


def _cells(answer: GuidanceAnswer) -> Iterable[Any]:
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
        csv_time(answer.returns_at),
        f"{charted} mg" if treatment is not None and treatment.body.get("dose_mg") else charted,
        answer.recorded_by.username,
        csv_time(answer.recorded_at),
        answer.ruleset_version,
    )

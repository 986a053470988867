"""Answers to guidance as a CSV file, with what users of other systems did with its cards."""

from __future__ import annotations

import heapq
import uuid
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Any, Final

from django.db.models import QuerySet

from crs_app.spreadsheet import csv_line, csv_time
from patients.models import CardFeedback, GuidanceAnswer

_WHEN: Final = itemgetter(0)
COLUMNS: Final = (
    "course", "mrn", "item", "item_said", "grade", "could_be", "answer", "reason", "asks_again_at",
    "charted", "user", "answered_at", "ruleset_version",
)  # fmt: skip


def answers_as_csv(course_id: uuid.UUID | None = None) -> Iterator[str]:
    """Yield the answers of all courses, or of one, as lines of a CSV file, oldest first.

    What users of other systems did with a card stands among them: ``user`` is then the name of the
    system and its own name of the user, whom nobody here has verified.
    """
    answers: QuerySet[GuidanceAnswer] = GuidanceAnswer.objects.select_related(
        "recorded_by", "treatment", "course__patient"
    ).order_by("recorded_at")
    feedback: QuerySet[CardFeedback] = CardFeedback.objects.select_related(
        "card__system", "card__course__patient"
    ).order_by("received_at")
    if course_id is not None:
        answers = answers.filter(course_id=course_id)
        feedback = feedback.filter(card__course_id=course_id)
    yield csv_line(COLUMNS)
    rows = heapq.merge(
        ((one.recorded_at, _cells(one)) for one in answers.iterator(chunk_size=500)),
        ((one.received_at, _feedback_cells(one)) for one in feedback.iterator(chunk_size=500)),
        key=_WHEN,
    )
    for _, cells in rows:
        yield csv_line(cells)


def _feedback_cells(feedback: CardFeedback) -> Iterable[Any]:
    card = feedback.card
    reason = ": ".join(part for part in (feedback.reason_code, feedback.comment) if part)
    return (
        card.course_id,
        card.course.patient.mrn,
        card.topic,
        card.summary,
        "",
        "",
        f"card {feedback.outcome}",
        reason,
        "",
        "",
        f"{card.system.name}: {card.user_id} (not verified)",
        csv_time(feedback.received_at),
        "",
    )


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

"""Answers to guidance as a CSV file."""

from __future__ import annotations

import csv
import io
import unicodedata
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet

from patients.display.text import site_time
from patients.models import GuidanceAnswer

COLUMNS: Final = (
    "course", "mrn", "item", "item_said", "grade", "could_be", "answer", "reason", "asks_again_at",
    "charted", "user", "answered_at", "ruleset_version",
)  # fmt: skip
_STARTS_A_FORMULA: Final = frozenset("=+-@")
_LOOKALIKES: Final = dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2796", "-") | {
    "\u2795": "+", "\ua78a": "=", "\u30a0": "=", "\u2550": "=",
}  # fmt: skip
"""Signs that look like those of a formula and do not become them in NFKC."""
_CONTROLS: Final = ("\t", "\r", "\n")


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


def csv_time(instant: datetime | None) -> str:
    """Return a time at the site for a cell; "" for None."""
    return "" if instant is None else site_time(instant).isoformat(timespec="seconds")


def csv_line(cells: Iterable[Any]) -> str:
    """Return a line of a CSV file; no cell of it is run as a formula."""
    line = io.StringIO()
    csv.writer(line).writerow([as_spreadsheet_text(str(cell)) for cell in cells])
    return line.getvalue()


def as_spreadsheet_text(cell: str) -> str:
    """Return ``cell`` with an apostrophe before what a spreadsheet would run as a formula.

    Spreadsheets pass over what is not seen, and read full-width and other forms of a sign as the
    sign itself.
    """
    if cell[:1] in _CONTROLS:
        return f"'{cell}"
    first = next((letter for letter in cell if _is_seen(letter)), "")
    signs = unicodedata.normalize("NFKC", first) + _LOOKALIKES.get(first, "")
    return f"'{cell}" if _STARTS_A_FORMULA.intersection(signs) else cell


def _is_seen(letter: str) -> bool:
    """Return whether ``letter`` is no blank, control or format character, and no mark alone."""
    return not letter.isspace() and unicodedata.category(letter)[0] not in "CM"

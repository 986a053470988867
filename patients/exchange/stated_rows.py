"""What people stated, as a part of an export: sign-offs, answers to advice, statements.

These change no grade and are in no course file. De-identified, what was typed and who typed it is
left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from crs_app.accounts.models import Role
from crs_app.spreadsheet import csv_line
from grading.systems import HEADLINE
from patients.exchange.deidentified import Mask
from patients.exchange.exported import Document, ExportedCourse, plain_number
from patients.queries.stated import AdviceAnswer, SignedGrade, StatedOfCourse
from patients.queries.summary import Statement
from patients.summary.page import STATED

FORMAT: Final = "crs-stated/1"
_COLUMNS: Final = (
    "kind", "number", "replaces", "recorded_at", "item", "answer", "reason", "from", "to",
    "computed_grade", "could_be", "stated_grade", "asks_again_at", "entry", "on_day",
    "temperature_c", "source", "at", "scale", "ruleset_version",
)  # fmt: skip
_IDENTIFIED: Final = ("shown", "words", "author", "role", "by_emergency_access")
_ITEM_OF: Final = {about.value: item for item, about in STATED.items()}


def stated_head(*, is_identified: bool) -> str:
    """Return the first line of a CSV file of what was stated."""
    return csv_line(("course", *_COLUMNS, *(_IDENTIFIED if is_identified else ())))


def stated_lines(course: ExportedCourse, stated: StatedOfCourse, mask: Mask) -> Iterator[str]:
    """Yield the lines of one course: one for each thing that was stated, in order of recording."""
    names = _COLUMNS + (_IDENTIFIED if mask.is_identified else ())
    for row in _rows(stated, mask):
        cells = ["" if row.get(name) is None else row[name] for name in names]
        yield csv_line((mask.id("course", course.id), *cells))


def stated_document(course: ExportedCourse, stated: StatedOfCourse, mask: Mask) -> Document:
    """Return what was stated about one course as JSON has it."""
    return {
        "format": FORMAT,
        "course": mask.id("course", course.id),
        "stated": [
            {name: value for name, value in row.items() if value not in (None, "")}
            for row in _rows(stated, mask)
        ],
    }


def _rows(stated: StatedOfCourse, mask: Mask) -> list[Document]:
    """Return all that was stated; ``number`` counts within the course and its kind."""
    found: list[tuple[datetime, Document]] = []
    for number, signed in enumerate(stated.sign_offs, start=1):
        found.append((signed.recorded_at, {"number": number, **_sign_off(signed, mask)}))
    for number, answer in enumerate(stated.answers, start=1):
        found.append((answer.recorded_at, {"number": number, **_answer(answer, mask)}))
    for number, statement in enumerate(stated.statements, start=1):
        row = _statement(statement, stated.statements, mask)
        found.append((statement.recorded_at, {"number": number, **row}))
    found.sort(key=lambda one: one[0])
    return [_shown(row, mask) for _, row in found]


def _shown(row: Document, mask: Mask) -> Document:
    if mask.is_identified:
        return row
    return {name: value for name, value in row.items() if name not in _IDENTIFIED}


def _sign_off(signed: SignedGrade, mask: Mask) -> Document:
    agrees = signed.stated_grade == signed.computed_grade
    return {
        "kind": "sign_off",
        "recorded_at": mask.time(signed.recorded_at),
        "answer": "agreed" if agrees else "another_grade",
        "reason": signed.reason,
        "from": mask.time(signed.start),
        "to": mask.time(signed.end),
        "computed_grade": signed.computed_grade,
        "stated_grade": signed.stated_grade,
        "entry": _entry_id(signed.last_entry_id, mask),
        "scale": HEADLINE.key,
        "ruleset_version": signed.ruleset_version,
        "words": signed.words,
        "author": signed.author,
        "role": signed.role,
    }


def _answer(answer: AdviceAnswer, mask: Mask) -> Document:
    return {
        "kind": "answer_to_advice",
        "recorded_at": mask.time(answer.recorded_at),
        "item": answer.code,
        "answer": answer.reply,
        "computed_grade": answer.grade,
        "could_be": answer.at_most,
        "asks_again_at": mask.time(answer.returns_at),
        "entry": _entry_id(answer.treatment_id, mask),
        "scale": HEADLINE.key,
        "ruleset_version": answer.ruleset_version,
        "shown": answer.summary,
        "words": answer.reason,
        "author": answer.author,
        "role": answer.role,
        "by_emergency_access": "yes" if answer.by_emergency else "",
    }


def _statement(one: Statement, every: Sequence[Statement], mask: Mask) -> Document:
    numbers = {other.pk: number for number, other in enumerate(every, start=1)}
    replaced = None if one.replaces_id is None else numbers.get(one.replaces_id)
    temperature: Any = None if one.temperature_c is None else plain_number(one.temperature_c)
    return {
        "kind": "statement",
        "replaces": replaced,
        "recorded_at": mask.time(one.recorded_at),
        "item": _ITEM_OF[one.about],
        "answer": one.answer,
        "on_day": mask.day(one.on_day),
        "temperature_c": temperature,
        "source": one.source,
        "at": mask.time(one.at),
        "words": one.words,
        "author": one.author_name,
        "role": Role(one.author_role).label,
        "by_emergency_access": "yes" if one.by_emergency else "",
    }


def _entry_id(entry_id: str | None, mask: Mask) -> str | None:
    return None if entry_id is None else mask.id("entry", entry_id)

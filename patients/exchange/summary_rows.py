"""The episode summary as a part of an export: an answer to each item of each reporting period.

De-identified, an answer is its state and its value alone: its sentences name times and people.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final

from crs_app.spreadsheet import csv_line
from grading.systems import HEADLINE
from patients.exchange.deidentified import Mask
from patients.exchange.exported import Document, ExportedCourse
from patients.summary.answer import ITEMS_REVISION, Answer, State
from patients.summary.summary import Summary

FORMAT: Final = "crs-summaries/1"
_COLUMNS: Final = (
    "course", "patient", "form", "items_revision", "scale", "ruleset_version", "period",
    "day_100", "known_from", "known_until", "item", "question", "state", "field", "value",
    "evidence",
)  # fmt: skip
_IDENTIFIED: Final = ("details", "why", "mrn", "name")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+[+]00:00")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")


def summary_head(*, is_identified: bool) -> str:
    """Return the first line of a CSV file of summaries."""
    return csv_line((*_COLUMNS, *(_IDENTIFIED if is_identified else ())))


def summary_lines(
    course: ExportedCourse, summaries: Sequence[Summary], mask: Mask, form: str
) -> Iterator[str]:
    """Yield the lines of one course: one for each field of each answer.

    ``form`` is the form and revision that the reader fills in, as it was typed.
    """
    whose = (mask.id("course", course.id), mask.id("patient", course.patient_id), form)
    patient = course.document["patient"]
    for summary in summaries:
        period = (summary.part.key, mask.day(summary.last_day), *_known(summary, mask))
        for answer in summary.answers:
            evidence = " ".join(mask.id("entry", one) for one in answer.evidence)
            sentences: tuple[str, ...] = ()
            if mask.is_identified:
                details, why = "; ".join(answer.details), "; ".join(answer.why)
                sentences = (details, why, patient["mrn"], patient["name"])
            for field, value in _fields(_value(answer, mask)):
                yield csv_line(
                    (*whose, ITEMS_REVISION, HEADLINE.key, HEADLINE.version, *period, answer.key,
                     answer.question, answer.state.value, field, value, evidence, *sentences)
                )  # fmt: skip


def summary_document(
    course: ExportedCourse, summaries: Sequence[Summary], mask: Mask, form: str
) -> Document:
    """Return the summaries of one course as JSON has them."""
    document: Document = {
        "format": FORMAT,
        "course": mask.id("course", course.id),
        "patient": mask.id("patient", course.patient_id),
        "form": form or None,
        "items_revision": ITEMS_REVISION,
        "system": f"{HEADLINE.key}/{HEADLINE.version}",
    }
    if mask.is_identified:
        document |= {name: course.document["patient"][name] for name in ("mrn", "name")}
    document["periods"] = [_period(summary, mask) for summary in summaries]
    return document


def _period(summary: Summary, mask: Mask) -> Document:
    known_from, known_until = _known(summary, mask)
    return {
        "name": summary.part.key,
        "day_100": mask.day(summary.last_day),
        "known_from": known_from,
        "known_until": known_until,
        "items": {answer.key: _item(answer, mask) for answer in summary.answers},
    }


def _item(answer: Answer, mask: Mask) -> Document:
    item: Document = {
        "state": answer.state.value,
        "value": _value(answer, mask),
        "evidence": [mask.id("entry", one) for one in answer.evidence],
    }
    if mask.is_identified:
        item |= {"details": list(answer.details), "why": list(answer.why)}
    return item


def _known(summary: Summary, mask: Mask) -> tuple[str, str]:
    known = summary.facts.looked_at
    return ("", "") if known is None else (mask.time(known.start), mask.time(known.end))


def _value(answer: Answer, mask: Mask) -> Any:
    return None if answer.state is State.NOT_KNOWN else _masked(answer.value, mask)


def _masked(value: Any, mask: Mask) -> Any:
    """Return a value with each of its times and days as the file writes them."""
    if isinstance(value, dict):
        return {name: _masked(one, mask) for name, one in value.items()}
    if isinstance(value, list):
        return [_masked(one, mask) for one in value]
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        return mask.time(datetime.fromisoformat(value))
    if isinstance(value, str) and _DAY.fullmatch(value):
        return mask.day(date.fromisoformat(value))
    return value


def _fields(value: Any) -> Iterator[tuple[str, str]]:
    """Yield name and cell of each field of a value; lists are written as JSON."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield name, _cell(one)
    else:
        yield "", _cell(value)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)

"""The answer of ``to-course``: the course with its new entries, what is held, what is remarked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from grading.course_file import FORMAT_2
from grading.engine.units import is_plain_number
from grading.format_2 import needs_format_2
from patients.exchange.formats.context import Context
from patients.exchange.formats.convert import context_after, convert
from patients.exchange.formats.exact_json import exact
from patients.exchange.formats.received import Document, Held, Remark

_TEXTS: Final = frozenset({"id", "replaces", "note"})
"""Fields of an entry whose text may be that of a number and is none."""


@dataclass(slots=True)
class Answer:
    """What became of several documents of one system, in their order."""

    context: Context
    held: list[Held] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    acks: list[str] = field(default_factory=list)

    def add(self, document: Document, received_at: datetime) -> None:
        """Convert a document against what the earlier ones have charted."""
        converted = convert(document, self.context, received_at)
        self.context = context_after(self.context, converted)
        self.held += converted.held
        self.remarks += converted.remarks

    def as_json(self) -> dict[str, Any]:
        """Return the answer as JSON, each number as it was written."""
        course = dict(self.context.course)
        course["entries"] = [_with_numbers(entry) for entry in course["entries"]]
        if needs_format_2(course):
            course["format"] = FORMAT_2
        return {
            "course": _written(course),
            "held": [_held(item) for item in self.held],
            "remarks": [_remark(item) for item in self.remarks],
            "acks": list(self.acks),
        }


def _with_numbers(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry with the text of its numbers as numbers, digit by digit."""
    return {
        name: exact(value)
        if name not in _TEXTS and isinstance(value, str) and is_plain_number(value)
        else value
        for name, value in entry.items()
    }


def _written(value: Any) -> Any:
    if isinstance(value, Decimal):
        return exact(value)
    if isinstance(value, Mapping):
        return {key: _written(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_written(item) for item in value]
    return value


def _held(item: Held) -> dict[str, Any]:
    words: dict[str, Any] = {"reason": item.reason, "place": item.place, "what": item.what}
    if item.at is not None:
        words["at"] = item.at.isoformat()
    if item.key:
        words["key"] = item.key
    if item.proposal is not None:
        words["proposal"] = _written(_with_numbers(item.proposal))
    words["count"] = item.count
    return words


def _remark(item: Remark) -> dict[str, str]:
    return {"reason": item.reason, "place": item.place, "what": item.what}

"""A row of the record in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from crs_app.accounts.models import Role
from crs_app.record.models import EventKind
from crs_app.record.pages.search import CHARTED, Row
from grading.engine.sentences import inside_a_sentence
from patients.models import ActSource, EntryKind

_LEFT_OUT: Final = frozenset({"page", "user_id"})
_OF_PAGES: Final[Mapping[str, str]] = {
    EventKind.VIEW: "Opened: {page}",
    EventKind.SEARCH: "Searched “{q}”: {page}",
    EventKind.EXPORT: "Downloaded: {page}",
    EventKind.PRINT: "Printed: {page}",
    EventKind.REFUSED: "Was refused: {page}",
    EventKind.RECORD_READ: "Read this record: {page}",
}


def what_happened(row: Row) -> str:
    """Return what the row says happened: "Opened: chart"."""
    if row.kind == CHARTED:
        return _charted(row.details)
    if row.kind in _OF_PAGES and "page" in row.details:
        return _OF_PAGES[row.kind].format(page=row.details["page"], q=row.details.get("q", ""))
    return EventKind(row.kind).label if row.kind in EventKind.values else row.kind


def more_of(row: Row) -> str:
    """Return the details that ``what_happened`` leaves out: "known at 14:00"; "" for none."""
    if row.kind == CHARTED:
        return ""
    left_out = _LEFT_OUT | ({"q"} if row.kind == EventKind.SEARCH else frozenset())
    words = [
        f"{name.replace('_', ' ')}: {value}"
        for name, value in row.details.items()
        if name not in left_out and not name.endswith("_id")
    ]
    return ", ".join(words)


def role_label(role: str) -> str:
    """Return the name of a role; "" of an event without a user."""
    return Role(role).label if role in Role.values else role


def _charted(details: Mapping[str, str]) -> str:
    kinds = [EntryKind(kind).in_sentence for kind in details["kinds"].split()]
    source = details["source"]
    if source != ActSource.BEDSIDE:
        return f"Charted by {inside_a_sentence(ActSource(source).label)}"
    return f"Charted: {', '.join(kinds)}" if kinds else "Charted"

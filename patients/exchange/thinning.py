"""Thin out what a monitor sends every minute: one set of signs in so many minutes.

The first set of each span of the clock is charted or proposed, and after it each set that would
change what counts in the grade: a pressure that falls between two marks is never thinned out. The
messages themselves stay.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from grading.course_file import CourseFileError, read_entry
from grading.engine.entries import Entry
from patients.exchange.formats.context import Context
from patients.exchange.formats.received import Document, Received, Remark, Signs, Standing
from patients.models import Course, EntryKind, ExternalSystem, KeyStanding, SystemKind
from patients.queries.exchange import read_signs_within
from patients.queries.status import status_with

THINNED: Final = "thinned"
"""Reason word of the remark: nothing of it is charted, and its message is kept."""
_AS_SENT: Final = frozenset({Standing.FINAL, Standing.UNVALIDATED})
_DAY: Final = timedelta(days=1)
_Values = Mapping[str, str]


def thinned(
    document: Document, context: Context, system: ExternalSystem, course: Course
) -> Document:
    """Return the document without the sets that another set of their span of time stands for.

    Each statement of such a set is a remark. Only signs of monitors are thinned out, never a
    correction, a retraction or a key that came before.
    """
    if system.kind != SystemKind.MONITOR or not system.thinning_minutes:
        return document
    span = timedelta(minutes=system.thinning_minutes)
    known = {one.key for one in context.known}
    sets: defaultdict[datetime, list[Received]] = defaultdict(list)
    for statement in document.statements:
        sets[statement.at].append(statement)
    gone: set[str] = set()
    for at in sorted(sets):
        if _is_repetition(at, sets[at], known, span, system, course):
            gone |= {one.source.place for one in sets[at]}
    if not gone:
        return document
    return replace(
        document,
        statements=tuple(one for one in document.statements if one.source.place not in gone),
        remarks=(*document.remarks, *(Remark(THINNED, place) for place in sorted(gone))),
    )


def _is_repetition(
    at: datetime,
    statements: Iterable[Received],
    known: set[str],
    span: timedelta,
    system: ExternalSystem,
    course: Course,
) -> bool:
    """Return whether a set changes nothing that counts after the last one of its span of time."""
    values = _values(statements, known)
    if values is None:
        return False
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight + (at - midnight) // span * span
    before = read_signs_within(system, course, start, min(start + span, midnight + _DAY))
    if not before or max(row.at for row in before) >= at:
        return False  # the first of its span, a part of the set of that instant, or late
    last = max(row.at for row in before)
    held = {
        name: value
        for row in before
        if row.at == last and row.state == KeyStanding.ASIDE
        for name, value in row.values.items()
    }
    try:
        base = [_vitals(last, held, "last")] if held else []
        new = _vitals(at, values, "new")
    except CourseFileError:
        return False
    return _counts(course, at, base) == _counts(course, at, [*base, new])


def _values(statements: Iterable[Received], known: set[str]) -> dict[str, str] | None:
    """Return the signs of a set together; None where it is more than that."""
    values: dict[str, str] = {}
    for one in statements:
        is_plain = one.standing in _AS_SENT and not one.details and one.attribution is None
        if not isinstance(one.content, Signs) or not is_plain or one.source.key in known:
            return None
        if any(values.get(name, value) != value for name, value in one.content.values.items()):
            return None
        values |= one.content.values
    return values


def _vitals(at: datetime, values: _Values, name: str) -> Entry:
    times = {"at": at.isoformat(), "recorded_at": at.isoformat()}
    return read_entry({"id": name, "kind": EntryKind.VITALS.value, **times, **values})


def _counts(course: Course, at: datetime, extra: list[Entry]) -> tuple[object, ...]:
    """Return what counts at an instant: grade, bound, criteria met and what is unknown."""
    status = status_with(course, at, extra)
    criteria = sorted(one.code for one in status.criteria)
    return status.grade, status.at_most, criteria, sorted(one.code for one in status.unknown)

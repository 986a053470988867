"""Thin out what a monitor sends every minute: one set of signs in so many minutes, the last one.

Marks of the clock divide the time into spans. Of each span the last set before the mark is charted
or proposed, and each set that changes what counts in the grade, at once: a pressure that falls
between two marks is never thinned out. Which set is the last is known when one of a later span
comes (``before_the_mark``). Until then the first set of a span is proposed, where sets are
proposed at all; it is closed by the last. A set after a silence as long as a span is charted at
once: a chart must not wait for the first values. The messages themselves stay.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from grading.course_file import CourseFileError, read_entry
from grading.engine.entries import Entry
from patients.exchange.formats.context import Context, Filing
from patients.exchange.formats.received import Document, Received, Remark, Signs, Standing
from patients.exchange.register import DEFAULT
from patients.models import Course, EntryKind, ExternalSystem, KeyStanding, SystemKind
from patients.queries.exchange import SignsRow, read_signs_within
from patients.queries.status import status_with

THINNED: Final = "thinned"
"""Reason word of the remark: nothing of it is charted, or it is shown until the mark; its message
is kept."""
SHOWN_UNTIL_THE_MARK: Final = "shown until the last set before the mark is known"
_AS_SENT: Final = frozenset({Standing.FINAL, Standing.UNVALIDATED})
_DAY: Final = timedelta(days=1)
_Values = Mapping[str, str]


def is_thinned(system: ExternalSystem) -> bool:
    """Return whether sets of a system are thinned out at all."""
    return system.kind == SystemKind.MONITOR and bool(system.thinning_minutes)


def span_of(system: ExternalSystem, at: datetime) -> tuple[datetime, datetime]:
    """Return the marks of the clock (UTC) that ``at`` lies between: from the first one on."""
    span = timedelta(minutes=system.thinning_minutes or 1)
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight + (at - midnight) // span * span
    return start, min(start + span, midnight + _DAY)


def thinned(
    document: Document,
    context: Context,
    system: ExternalSystem,
    course: Course,
    *,
    may_wait: bool = True,
) -> Document:
    """Return the document without the sets that another set of their span of time stands for.

    Each statement of such a set is a remark. Only signs of monitors are thinned out, never a
    correction, a retraction or a key that came before. ``may_wait`` False: the last set of the
    document is the last of its span.
    """
    if not is_thinned(system):
        return document
    known = {one.key for one in context.known}
    of_instant: defaultdict[datetime, list[Received]] = defaultdict(list)
    for statement in document.statements:
        of_instant[statement.at].append(statement)
    sets = {
        at: _Set(at, statements, values)
        for at, statements in sorted(of_instant.items())
        if (values := _values(statements, known)) is not None
    }
    if not sets:
        return document
    thinning = _Thinning(context, system, course, list(sets), may_wait)
    remarks: list[Remark] = []
    gone: set[str] = set()
    for one in sets.values():
        what = thinning.decide(one)
        if what is None:
            continue
        remarks += (Remark(THINNED, place, what, one.at) for place in sorted(one.places))
        if not what:
            gone |= one.places
    return replace(
        document,
        statements=tuple(one for one in document.statements if one.source.place not in gone),
        remarks=(*document.remarks, *remarks),
    )


@dataclass(frozen=True, slots=True)
class _Set:
    """The signs of one instant in a document."""

    at: datetime
    statements: list[Received]
    values: _Values

    @property
    def places(self) -> set[str]:
        return {one.source.place for one in self.statements}


@dataclass(slots=True)
class _Thinning:
    """The sets of a document while it is decided about them, in order of their times."""

    context: Context
    system: ExternalSystem
    course: Course
    times: list[datetime]
    may_wait: bool
    passed: list[_Set] = field(default_factory=list)

    def decide(self, one: _Set) -> str | None:
        """Return None for a set that stays, SHOWN_UNTIL_THE_MARK for one that stays so long, and
        "" for one that is thinned out."""
        start, end = span_of(self.system, one.at)
        before = read_signs_within(self.system, self.course, start - (end - start), end)
        is_part = any(row.at == one.at for row in before)
        is_last = self._is_last(one.at, end) and not any(row.at > one.at for row in before)
        if is_part or is_last or self._changes(one, before):
            self.passed.append(one)
            return None
        times = [*(row.at for row in before), *(each.at for each in self.passed)]
        if self._is_proposed(one) and not any(at >= start for at in times):
            self.passed.append(one)
            return SHOWN_UNTIL_THE_MARK
        if not times:
            self.passed.append(one)
            return None
        return ""

    def _is_last(self, at: datetime, end: datetime) -> bool:
        """Whether it is the last set before a mark, and a later set says that the mark is past."""
        later = [other for other in self.times if other > at]
        if not later:
            return not self.may_wait
        return min(later) >= end

    def _is_proposed(self, one: _Set) -> bool:
        filing = self.context.filing
        word = filing.get(EntryKind.VITALS.value, filing.get(DEFAULT, Filing.FILE))
        is_validated = all(each.standing is Standing.FINAL for each in one.statements)
        return word is Filing.PROPOSE or not is_validated

    def _changes(self, one: _Set, before: Iterable[SignsRow]) -> bool:
        """Whether the set changes what counts at its instant, after all that came before it.

        What is proposed and not charted counts as if it were.
        """
        proposed: defaultdict[datetime, dict[str, str]] = defaultdict(dict)
        for row in before:
            if row.at < one.at and row.state == KeyStanding.ASIDE:
                proposed[row.at] |= row.values
        for each in self.passed:
            proposed[each.at] |= each.values
        try:
            base = [_vitals(at, values, f"{at}") for at, values in sorted(proposed.items())]
            new = _vitals(one.at, one.values, "new")
        except CourseFileError:
            return True
        return _counts(self.course, one.at, base) != _counts(self.course, one.at, [*base, new])


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

"""Rows of a flowsheet: a CSV table in long form, its times, and whose they are."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from grading.engine.times import can_be_charted
from grading.engine.vocabulary import LATEST
from patients.exchange.formats.flowsheet_map import COLUMNS, NEEDED, FlowsheetMap, plain_text
from patients.exchange.formats.received import RefusedDocumentError
from patients.exchange.formats.unreadable import UnreadableError

_HEADER: Final = 1
_MONTH_OR_YEAR: Final = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2]))?", re.ASCII)
_CLOCK: Final = re.compile(r"[0-9][^0-9:+-][0-9]{2}", re.ASCII)
"""The hour of a time of ISO 8601, after the sign between day and clock."""
_MINUTE: Final = re.compile(rf"{_CLOCK.pattern}:?[0-9]{{2}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Row:
    """A row by the columns of the long form, and the number of its line; the header is line 1."""

    line: int
    cells: Mapping[str, str]

    @property
    def place(self) -> str:
        return f"row {self.line}"

    def text(self, column: str) -> str:
        return self.cells.get(column, "")

    @property
    def patient(self) -> str:
        return self.text("patient_id")


def rows_of(
    lines: Iterable[str], maps: Sequence[FlowsheetMap]
) -> Iterator[tuple[Row, FlowsheetMap]]:
    """Yield each row of a table with the map whose columns it has.

    Raises RefusedDocumentError ``structure``: no CSV, columns missing or twice, or a row with more
    cells than columns.
    """
    reader = csv.reader(lines, strict=True)
    try:
        header = [plain_text(name) for name in next(reader, [])]
        chosen = map_of(header, maps)
        places = {
            column: header.index(name)
            for column in COLUMNS
            if (name := chosen.columns.get(column, column)) in header
        }
        for number, cells in enumerate(reader, start=_HEADER + 1):
            if not any(cells):
                continue
            if len(cells) > len(header):
                raise _refused(f"row {number}", "more cells than the header has columns")
            cells += [""] * (len(header) - len(cells))
            yield Row(number, {key: plain_text(cells[at]) for key, at in places.items()}), chosen
    except (csv.Error, UnicodeError) as error:
        raise _refused("document", f"no CSV in UTF-8: {error}") from None


def map_of(header: Sequence[str], maps: Sequence[FlowsheetMap]) -> FlowsheetMap:
    """Return the map whose columns a header has; raises RefusedDocumentError ``structure``."""
    if len(set(header)) < len(header):
        raise _refused("row 1", "a column stands twice")
    for one in maps:
        named = {one.columns.get(column, column) for column in NEEDED}
        if named <= set(header) and set(one.columns.values()) <= set(header):
            return one
    wanted = sorted({maps[0].columns.get(column, column) for column in NEEDED})
    raise _refused("row 1", f"expected the columns {', '.join(wanted)} and those of the map")


def _refused(place: str, words: str) -> RefusedDocumentError:
    return RefusedDocumentError("structure", place, words)


def instant(text: str, zone: ZoneInfo) -> datetime:
    """Return the instant of a cell; without an offset it is a time of ``zone``.

    Raises UnreadableError ``time.missing``, ``time.partial`` without a minute, ``time.ambiguous``
    where the clocks of the zone show it twice or never, ``invalid``.
    """
    moment = _to_the_minute(text)
    if moment.tzinfo is None:
        moment = _in_zone(moment, zone)
    try:
        in_utc = moment.astimezone(UTC)
    except OverflowError:
        raise UnreadableError("invalid", "its time cannot be read") from None
    if not can_be_charted(in_utc):
        reason = "time.future" if in_utc > LATEST else "value.impossible"
        raise UnreadableError(reason, "its time lies outside what a chart holds")
    return moment


def _to_the_minute(text: str) -> datetime:
    if not text:
        raise UnreadableError("time.missing", "it has no time")
    if _MONTH_OR_YEAR.fullmatch(text):
        raise UnreadableError("time.partial", "its time is a month or a year")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UnreadableError("invalid", "its time cannot be read") from None
    if _CLOCK.search(text) is None:
        raise UnreadableError("time.partial", "its time is a day alone")
    if _MINUTE.search(text) is None:
        raise UnreadableError("time.partial", "its time has no minute")
    return moment


def _in_zone(clock: datetime, zone: ZoneInfo) -> datetime:
    early, late = (clock.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if early.utcoffset() != late.utcoffset():
        raise UnreadableError("time.ambiguous", "its time is shown twice by the clocks, or never")
    return early

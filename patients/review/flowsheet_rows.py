"""Rows of a flowsheet: their values gathered entry by entry, and turned into cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from grading.engine import entries as kinds
from grading.engine.trace import Trace
from patients.display.marks import CORRECTED, IN_ERROR, LATE, OTHER_CAUSE
from patients.display.text import LATE_AFTER
from patients.display.worst import Worst
from patients.queries.flowsheet import FlowsheetData
from patients.queries.timeline import TimelineEntry
from patients.review.flowsheet_cells import Cell, Source, Value, ValueRow
from patients.review.flowsheet_columns import Column

LOW, WITHIN, HIGH = -1, 0, 1
"""On which side of its limits a value lies."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row with its cells; ``key`` names it in addresses, ``grade`` is that of a criterion.

    ``worst`` says which value stands for several.
    """

    key: str
    label: str
    unit: str
    cells: list[Cell]
    worst: str = ""
    grade: int | None = None


@dataclass(slots=True)
class Series:
    """The values of one row, gathered entry by entry."""

    key: str
    label: str
    worst: Worst
    unit: str = ""
    merges: bool = False
    lasts: bool = False
    counts_shown: bool = True
    values: list[Value] = field(default_factory=list)


class RowMaker:
    """What the rows of one sheet share: its data, its columns, and the list of its entries.

    ``places`` are the places of entries in that list, by their ids; ``until`` is when what runs
    ends: what is known, or the patient's death.
    """

    def __init__(
        self,
        data: FlowsheetData,
        trace: Trace,
        columns: Sequence[Column],
        places: Mapping[str, int],
    ) -> None:
        self.data, self.trace, self.columns, self.places = data, trace, columns, places
        self.all = [*data.held, *data.entries]
        self.by_id = {one.read.id: one for one in self.all}
        deaths = [one.row.at for one in self.all if self.is_in_force(one, kinds.Death)]
        self.until = min([data.instant, *deaths])

    @staticmethod
    def is_in_force(one: TimelineEntry, kind: type[kinds.Entry]) -> bool:
        """Return whether ``one`` is of ``kind`` and was not entered in error."""
        return isinstance(one.read, kind) and one.retraction is None

    def rows(self, series: Iterable[Series], *, keep_empty: bool = False) -> list[Row]:
        """Return the rows of ``series``; those without a value are left out."""
        rows = []
        for one in series:
            row = ValueRow(
                one.worst, self.columns, self.until, one.counts_shown, one.merges, one.lasts
            )
            cells = row.cells(one.values)
            if keep_empty or any(cell.text for cell in cells):
                rows.append(Row(one.key, one.label, one.unit, cells, one.worst.label))
        return rows

    def source(self, one: TimelineEntry, *, counts: bool | None = None) -> tuple[Source, ...]:
        """Return the entry behind a value, with its marks; ``counts`` None is that of the entry."""
        row, read = one.row, one.read
        marked = {
            LATE: row.recorded_at - row.at > LATE_AFTER,
            CORRECTED: row.replaces_id is not None,
            OTHER_CAUSE: not (read.counts if counts is None else counts),
            IN_ERROR: one.retraction is not None,
        }
        marks = tuple(mark for mark, is_marked in marked.items() if is_marked)
        return (Source(self.places[read.id], row.at, marks),)

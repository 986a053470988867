"""Cells of a flowsheet: what stands in a column where several values, or a lasting one, meet."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from itertools import groupby
from typing import Any, Final, NamedTuple

from grading.engine.units import Number, format_number
from patients.display.marks import IN_ERROR, MARKS, OTHER_CAUSE
from patients.display.text import moment_text
from patients.display.worst import Worst
from patients.review.flowsheet_columns import Column

NOT_KNOWN: Final = "?"
_LOW, _HIGH = -1, 1
_ARROWS: Final = {_LOW: "▼", _HIGH: "▲"}


_LETTERS_OF_A_LINE: Final = 5
_FIGURES_OF_A_LINE: Final = 5


class Kind:
    """What a cell says, as its class in the page."""

    EMPTY: Final = ""
    VALUE: Final = "value"
    HELD: Final = "held"
    RUN: Final = "run"
    STATE: Final = "state"
    BOUND: Final = "bound"
    NONE: Final = "none"
    AHEAD: Final = "ahead"


class Source(NamedTuple):
    """The entry behind a value: its place in the list of the page, and its marks."""

    place: int
    at: datetime
    marks: tuple[str, ...] = ()

    @property
    def is_in_error(self) -> bool:
        return IN_ERROR in self.marks


@dataclass(frozen=True, slots=True)
class Value:
    """A value from ``at`` on: ``number`` compares it, ``text`` shows it; None is not known.

    ``side`` is -1 below the limits, 1 above them. ``runs`` says that it lasts until the next one;
    ``sources`` are the entries that it comes from.
    """

    at: datetime
    number: Number | None
    text: str
    side: int = 0
    runs: bool = False
    is_estimated: bool = False
    sources: tuple[Source, ...] = ()

    @property
    def is_in_error(self) -> bool:
        return any(source.is_in_error for source in self.sources)


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in ``span`` columns; ``places`` are its entries in the list of the page.

    ``count`` is the small figure, 0 for none; ``note`` says in words what the value stands for.
    ``shown`` is written in the place of ``text`` where a grade 0 is not known.
    """

    kind: str = Kind.EMPTY
    text: str = ""
    span: int = 1
    count: int = 0
    arrows: str = ""
    marks: tuple[str, ...] = ()
    is_struck: bool = False
    is_estimated: bool = False
    grade: int | None = None
    places: tuple[int, ...] = ()
    note: str = ""
    shown: str = ""

    @property
    def is_long(self) -> bool:
        """Whether it may need two lines in a narrow column."""
        letters = len(self.text) + len(self.arrows) + bool(self.count) + 2 * len(self.marks)
        return letters > _LETTERS_OF_A_LINE

    @property
    def is_longest(self) -> bool:
        """Whether its number needs small figures: no number is cut, or broken into two lines."""
        return len(self.text) > _FIGURES_OF_A_LINE and self.text.replace(".", "").isdigit()


EMPTY: Final = Cell()
_AHEAD: Final = Cell(Kind.AHEAD, note="not known yet")
NOT_GRADED: Final = Cell(Kind.NONE, "–", note="not graded")


@dataclass(frozen=True, slots=True)
class ValueRow:
    """How the values of one row become cells.

    ``counts_shown`` is false where the head of the section counts. ``until`` ends what runs. Of
    what ``lasts``, the last value of an instant holds, as grading has it.
    """

    worst: Worst
    columns: Sequence[Column]
    until: datetime
    counts_shown: bool = True
    merges: bool = False
    lasts: bool = False

    def cells(self, values: Iterable[Value]) -> list[Cell]:
        """Return a cell for each column, or for each run of equal columns where it ``merges``."""
        in_order = sorted(values, key=lambda value: value.at)
        times = [value.at for value in in_order]
        cells = []
        for column in self.columns:
            first, after = bisect_left(times, column.start), bisect_left(times, column.end)
            running = self._running_into(column, in_order[:first], in_order[first:after])
            cells.append(self._cell(column, in_order[first:after], running))
        return _merged(cells) if self.merges else cells

    def _cell(self, column: Column, here: Sequence[Value], running: Value | None) -> Cell:
        if not here and running is None:
            return _AHEAD if column.is_ahead else EMPTY
        charted = [value for value in here if not value.is_in_error]
        if self.lasts:
            charted = list({value.at: value for value in charted}.values())
        struck = [value for value in here if value.is_in_error]
        shown = [*([running] if running else []), *charted]
        cell = self._worst_of(shown, column)
        if cell is None and struck:
            cell = Cell(Kind.VALUE, struck[-1].text, is_struck=True, note=MARKS[IN_ERROR])
        if cell is None:
            return _AHEAD if column.is_ahead else EMPTY
        sources = [source for value in here for source in value.sources]
        if not here and running:
            sources = list(running.sources)
        marks = {mark for s in sources if here for mark in s.marks if mark != OTHER_CAUSE}
        marks |= set(cell.marks)
        return replace(
            cell,
            marks=tuple(mark for mark in MARKS if mark in marks),
            places=tuple(dict.fromkeys(source.place for source in sources)),
        )

    def _running_into(
        self, column: Column, before: Sequence[Value], here: Sequence[Value]
    ) -> Value | None:
        """Return the value that runs on into ``column``; None where another begins with it."""
        if column.start >= self.until:
            return None
        if any(value.at == column.start and not value.is_in_error for value in here):
            return None
        last = next((value for value in reversed(before) if not value.is_in_error), None)
        return last if last is not None and last.runs else None

    def _worst_of(self, shown: Sequence[Value], column: Column) -> Cell | None:
        """Return the cell of the worst of ``shown``; None where there is nothing to show."""
        known = [value for value in shown if value.number is not None]
        if self.worst is Worst.TOTAL and known:
            worst = known[0]
            text = format_number(sum((_exact(v.number) for v in known), Fraction(0)))
        elif shown:
            worst = self._worst(known or shown)
            text = worst.text
        if not shown or not text:
            return None
        if text != NOT_KNOWN and any(value.text == NOT_KNOWN for value in shown):
            text += NOT_KNOWN
        count = sum(_is_charted_in(column, value) for value in shown)
        is_held = not _is_charted_in(column, worst)
        sides = {value.side for value in shown}
        is_other_cause = any(OTHER_CAUSE in source.marks for source in worst.sources)
        return Cell(
            Kind.HELD if is_held else Kind.VALUE,
            text,
            count=count if self.counts_shown and (count > 1 or is_held) else 0,
            arrows="".join(_ARROWS[side] for side in (_HIGH, _LOW) if side in sides),
            marks=(OTHER_CAUSE,) if is_other_cause else (),
            is_estimated=worst.is_estimated,
            note=self._note(worst, len(shown), is_held=is_held),
        )

    def _worst(self, known: Sequence[Value]) -> Value:
        """Return the value that stands for all: outside its limits first, then by direction.

        Of equal ones the latest charted.
        """
        sign = -1 if self.worst is Worst.LOWEST else 1
        return max(
            known, key=lambda value: (value.side != 0, sign * _exact(value.number), value.at)
        )

    def _note(self, worst: Value, of: int, *, is_held: bool) -> str:
        parts = []
        if self.worst is Worst.TOTAL:
            parts += [f"total of {of}"] if of > 1 else []
        elif of > 1:
            outside = ", outside its limits" if worst.side else ""
            parts.append(f"worst of {of}, {self.worst.label}{outside}")
        if is_held:
            parts.append(f"charted {moment_text(worst.at)}, still running")
        if worst.is_estimated:
            parts.append("estimated")
        return ", ".join(parts)


def _is_charted_in(column: Column, value: Value) -> bool:
    """Return whether ``value`` was charted in ``column``, and does not run on into it."""
    return any(column.start <= source.at < column.end for source in value.sources)


def _exact(number: Number | None) -> Fraction:
    return Fraction(0 if number is None else number)


def _merged(cells: Iterable[Cell]) -> list[Cell]:
    """Join neighbouring cells that say the same, as long as they are no gap."""
    merged = []
    for (kind, text), group in groupby(cells, key=lambda cell: (_lasts(cell), cell.text)):
        same = list(group)
        if not kind or not text:
            merged += same
            continue
        noted = {mark for cell in same for mark in cell.marks}
        merged.append(
            replace(
                same[0],
                kind=Kind.STATE,
                span=len(same),
                count=max(cell.count for cell in same) if len(same) == 1 else 0,
                marks=tuple(mark for mark in MARKS if mark in noted),
                places=tuple(dict.fromkeys(p for cell in same for p in cell.places)),
            )
        )
    return merged


def _lasts(cell: Cell) -> bool:
    return cell.kind in (Kind.VALUE, Kind.HELD) and not cell.is_struck


class Run(NamedTuple):
    """A ``payload`` that held from ``start`` to ``end``; ``end`` None: it still does."""

    start: datetime
    end: datetime | None
    payload: Any = None

    def overlaps(self, column: Column, known_until: datetime) -> bool:
        end = known_until if self.end is None else min(self.end, known_until)
        return self.start < column.end and end > column.start


def run_cells(
    columns: Sequence[Column],
    runs: Sequence[Run],
    until: datetime,
    make: Callable[[Sequence[Run], int], Cell],
    key: Callable[[Sequence[Run]], Any] = tuple,
) -> list[Cell]:
    """Return cells over runs: columns in which the same runs hold are one cell.

    ``make`` makes a cell from its runs and its span; ``key`` tells which columns are the same.
    """
    inside = [[run for run in runs if run.overlaps(column, until)] for column in columns]
    cells = []
    for _, group in groupby(
        range(len(columns)), key=lambda at: (key(inside[at]), columns[at].start >= until)
    ):
        places = list(group)
        held: list[Run] = list(dict.fromkeys(run for at in places for run in inside[at]))
        if columns[places[0]].start >= until and not held:
            cells.append(replace(_AHEAD, span=len(places)))
        else:
            cells.append(replace(make(held, len(places)), span=len(places)))
    return cells

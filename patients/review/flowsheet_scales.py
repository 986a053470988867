"""Rows of a flowsheet for ASTCT and ICANS: the highest grade of each column, never Lee's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from patients.display.scale_levels import (
    ScaleLevel,
    assessments_of,
    shown_levels,
)
from patients.display.scales import NOT_ASSESSED
from patients.display.text import moment_text
from patients.queries.scales import ScalesOfWindow
from patients.review.flowsheet_cells import NOT_GRADED, Cell, Kind, Run, run_cells
from patients.review.flowsheet_columns import Column
from patients.review.flowsheet_rows import Row

_ROOM_FOR_WORDS: Final = 3
_UNKNOWN: Final = -1


def scale_rows(
    window: ScalesOfWindow,
    columns: Sequence[Column],
    until: datetime,
    assessed_since: datetime | None,
) -> list[Row]:
    """Return a row for each scale; ``assessed_since`` is from when on Lee's grade 0 is known."""
    scales = window.scales
    assessments = assessments_of(
        window.entries, window.facts, scales.policy, until, assessed_since=assessed_since
    )
    return [
        Row(scale.key, scale.short, "2019", _cells(levels, columns, until), "highest")
        for scale, levels in shown_levels(scales, assessments)
    ]


def _cells(levels: Sequence[ScaleLevel], columns: Sequence[Column], until: datetime) -> list[Cell]:
    runs, first = [Run(one.start, one.end, one) for one in levels], columns[0].start

    def cell(held: Sequence[Run], span: int) -> Cell:
        if not held:
            return NOT_GRADED
        grade, bound = _highest(held)
        note = "; ".join(f"{run.payload.text} {_times(run, first)}" for run in held)
        if grade == _UNKNOWN and not bound:
            shown = NOT_ASSESSED if span >= _ROOM_FOR_WORDS else "–"
            return Cell(Kind.NONE, "0", note=note, shown=shown)
        if grade == _UNKNOWN:
            return Cell(Kind.BOUND, f"?{bound}", grade=bound, note=note)
        text = f"{grade} ?{bound}" if bound else str(grade)
        return Cell(Kind.RUN, text, grade=grade, note=note)

    return run_cells(columns, runs, until, cell, key=_key)


def _key(runs: Sequence[Run]) -> tuple[int, int] | None:
    """Return what a cell shows of its runs: neighbours with the same are one cell."""
    return _highest(runs) if runs else None


def _highest(runs: Sequence[Run]) -> tuple[int, int]:
    """Return the highest grade, and the highest bound above it; 0 where nothing is higher."""
    levels = [run.payload for run in runs]
    grade = max((_UNKNOWN if one.grade is None else one.grade for one in levels), default=_UNKNOWN)
    bound = max((one.could_be or 0 for one in levels), default=0)
    return grade, bound if bound > max(grade, 0) else 0


def _times(run: Run, first: datetime) -> str:
    """Return the times of a run; where it began before ``first``, its start is not known."""
    since = "before this sheet" if run.start < first else moment_text(run.start)
    return f"since {since}" if run.end is None else f"from {since} to {moment_text(run.end)}"

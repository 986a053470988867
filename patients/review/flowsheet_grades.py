"""Rows of a flowsheet from the stored grades: the grade, its bound, and each criterion met."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from grading.engine.sentences import short_name
from patients.display.site_times import at_site, site_time
from patients.display.text import moment_text
from patients.queries.flowsheet import GRADE, FlowsheetData
from patients.queries.grades import GradePeriodRow
from patients.review.flowsheet_cells import NOT_GRADED, Cell, Kind, Run, run_cells
from patients.review.flowsheet_columns import Column

_ROOM_FOR_A_RANGE = 3
_ROOM_FOR_TWO_TIMES = 6
_ONE_DAY_H = 25
_NO_HIGHER = Cell(Kind.NONE, "no higher")
_NO_HIGHER_HERE = Cell(Kind.NONE, "–", note="no higher")
_NOT_MET = Cell(Kind.NONE, "–", note="not met")
_NOT_ASSESSED_HERE = Cell(Kind.NONE, "0", note="not assessed", shown="–")
_NOT_ASSESSED_WIDE = Cell(Kind.NONE, "0", note="not assessed", shown="not assessed")
_NO_BOUND = Cell(Kind.NONE, "–", note="not assessed")
_MET_NOTHING = (0, (0, 0))
_NOT_ASSESSED = -1
"""Stands for a grade 0 of which too little was charted to know it."""


class CriterionRow(NamedTuple):
    """The cells of a criterion, which raises the grade to ``grade``."""

    code: str
    label: str
    grade: int
    cells: list[Cell]


class GradeRows:
    """The grade, its bound and the criteria over ``columns``, up to what is known."""

    def __init__(self, data: FlowsheetData, columns: Sequence[Column]) -> None:
        self.data, self.columns = data, columns
        self.periods = data.periods
        self.until = data.instant
        self.is_short = (data.end - data.start).total_seconds() <= _ONE_DAY_H * 3600

    def grade(self) -> list[Cell]:
        """Return the cells of the grade; a column in which it changed has the highest."""
        runs = list(self._assessed(self._runs(GRADE, lambda period: period.grade)))
        return run_cells(self.columns, runs, self.until, self._grade_cell, key=_highest)

    def _assessed(self, runs: Sequence[Run]) -> Iterator[Run]:
        """Yield ``runs`` with the part of a grade 0 that was not assessed yet as one of its own."""
        since = self.data.assessed_since
        for run in runs:
            if run.payload not in _MET_NOTHING or (since is not None and since <= run.start):
                yield run
            elif since is None or (run.end is not None and run.end <= since):
                yield run._replace(payload=_NOT_ASSESSED)
            else:
                yield run._replace(end=since, payload=_NOT_ASSESSED)
                yield run._replace(start=since)

    def bound(self) -> list[Cell]:
        """Return the cells of the bound: the highest grade not ruled out, where it is higher."""
        runs = [
            run._replace(payload=(run.payload, run.payload))
            if run.payload == _NOT_ASSESSED
            else run
            for run in self._assessed(self._runs("", lambda p: (p.grade, p.at_most)))
        ]
        return run_cells(self.columns, runs, self.until, self._bound_cell, key=_highest_bound)

    def criteria(self) -> list[CriterionRow]:
        """Return a row for each criterion ever met in the window, those of high grades first."""
        grades: dict[str, int] = {}
        for period in self.periods:
            for item in period.findings["criteria"]:
                grades[item["code"]] = max(item["grade"], grades.get(item["code"], 0))
        return [
            CriterionRow(code, short_name(code), grade, self._criterion_cells(code, grade))
            for code, grade in sorted(grades.items(), key=lambda one: (-one[1], one[0]))
        ]

    def _runs(self, code: str, value_of: Callable[[GradePeriodRow], Any]) -> list[Run]:
        """Return runs of one value of the periods; those at the edges have their true ends."""
        runs: list[Run] = []
        for period in self.periods:
            value = value_of(period)
            if runs and runs[-1].payload == value and runs[-1].end == period.start:
                runs[-1] = runs[-1]._replace(end=period.end)
            else:
                runs.append(Run(period.start, period.end, value))
        return self._with_true_ends(code, runs)

    def _with_true_ends(self, code: str, runs: list[Run]) -> list[Run]:
        if not runs or not self.periods:
            return runs
        if code in self.data.begun and runs[0].start == self.periods[0].start:
            since = self.data.begun[code] or self.data.course.infused_at
            runs[0] = runs[0]._replace(start=since)
        if code in self.data.ended and runs[-1].end == self.periods[-1].end:
            runs[-1] = runs[-1]._replace(end=self.data.ended[code])
        return runs

    def _grade_cell(self, runs: Sequence[Run], span: int) -> Cell:
        if not runs:
            return NOT_GRADED
        grade = max(run.payload for run in runs)
        if grade == _NOT_ASSESSED:
            return _NOT_ASSESSED_HERE if span < _ROOM_FOR_A_RANGE else _NOT_ASSESSED_WIDE
        note = "; ".join(
            f"{'not assessed' if run.payload == _NOT_ASSESSED else f'grade {run.payload}'} "
            f"{self._full(run)}"
            for run in runs
        )
        return Cell(Kind.RUN, str(grade), grade=grade, note=note)

    def _bound_cell(self, runs: Sequence[Run], span: int) -> Cell:
        bounds = [run for run in runs if run.payload[1] > run.payload[0]]
        if not runs:
            return NOT_GRADED
        if not bounds and all(run.payload[0] == _NOT_ASSESSED for run in runs):
            return _NO_BOUND
        if not bounds:
            return _NO_HIGHER if span >= _ROOM_FOR_A_RANGE else _NO_HIGHER_HERE
        note = "; ".join(f"could be {run.payload[1]} {self._full(run)}" for run in bounds)
        highest = max(run.payload[1] for run in bounds)
        return Cell(Kind.BOUND, f"?{highest}", grade=highest, note=note)

    def _criterion_cells(self, code: str, grade: int) -> list[Cell]:
        runs: list[Run] = []
        for period in self.periods:
            items = {item["code"]: item for item in period.findings["criteria"]}
            if code not in items:
                continue
            if runs and runs[-1].end == period.start:
                runs[-1] = runs[-1]._replace(end=period.end)
            else:
                runs.append(Run(period.start, period.end, _explanation(items[code])))
        runs = self._with_true_ends(code, runs)

        def cell(held: Sequence[Run], span: int) -> Cell:
            if not held:
                return _NOT_MET
            note = "; ".join(f"{self._full(run)}: {run.payload}" for run in held)
            return Cell(Kind.RUN, self._short(held, span), grade=grade, note=note)

        return run_cells(self.columns, runs, self.until, cell)

    def _short(self, runs: Sequence[Run], span: int) -> str:
        """Return the true times of a run, as far as there is room: "11:55 – 17:25"."""
        if len(runs) > 1:
            return f"met {len(runs)}×" if span > 1 else f"{len(runs)}×"
        if span < _ROOM_FOR_A_RANGE or not self.is_short:
            return "met"
        start, end = runs[0].start, runs[0].end
        if end is not None and (end >= self.data.end or end > self.until):
            end = None
        day = f"{site_time(start).day} {site_time(start):%b}"
        began_here = start >= self.data.start
        if began_here:
            return f"from {_clock(start)}" if end is None else f"{_clock(start)} – {_clock(end)}"
        if end is None:
            return f"since {day}"
        until = f"until {_clock(end)}"
        return f"since {day}, {until}" if span >= _ROOM_FOR_TWO_TIMES else until

    def _full(self, run: Run) -> str:
        """Return the true times of a run in words."""
        since = moment_text(run.start)
        if run.end is None or run.end > self.until:
            return f"since {since}"
        return f"{since} to {moment_text(run.end)}"


def _highest(runs: Sequence[Run]) -> Any:
    return max((run.payload for run in runs), default=None)


def _highest_bound(runs: Sequence[Run]) -> Any:
    """Return the highest bound above its grade; 0 where no grade could be higher, or less."""
    if not runs:
        return None
    return max(
        bound if bound > grade else min(grade, 0) for grade, bound in (run.payload for run in runs)
    )


def _explanation(item: Mapping[str, Any]) -> str:
    return str(item["explanation"])


def _clock(at: datetime) -> str:
    return at_site(at).clock

"""Every cell of a flowsheet is held against the entries, the grades and the engine."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from django.test import Client

from crs_app.accounts.models import User
from grading.engine import entries as kinds
from grading.engine.units import format_number
from grading.engine.vocabulary import AT_MOST_AHEAD, VITAL_SIGN
from grading.service import Trace, trace_of
from grading.systems import HEADLINE
from patients.display.worst import WORST_OF_SIGN, Worst, support_of, worst_of_analyte
from patients.exchange.course_file import import_course
from patients.models import Course
from patients.queries.known_at import CourseKnownAt, read_known_at
from patients.review.flowsheet_cells import Cell
from patients.review.flowsheet_columns import Column
from tests.grading.random_courses import instants, random_course
from tests.patients.review.flowsheet_page import rows_of, sheet_of

pytestmark = pytest.mark.django_db

COURSES = 25
BINS = ("1", "4", "12", "entry")


@dataclass(frozen=True)
class Chart:
    """What is known of a course, and everything that its cells are held against."""

    known: CourseKnownAt
    trace: Trace

    @property
    def entries(self) -> Sequence[kinds.Entry]:
        return self.known.entries

    def of(self, kind: type[kinds.Entry], column: Column) -> list[Any]:
        return [e for e in self.entries if isinstance(e, kind) and within(e.at, column)]


def chart_of(course: Course, known_at: datetime) -> Chart:
    known = read_known_at(course, HEADLINE, known_at)
    return Chart(known, trace_of(known.facts, known.entries, known_at + AT_MOST_AHEAD))


def within(at: datetime, column: Column) -> bool:
    return column.start <= at < column.end


def steps_in(steps: Sequence[Any], column: Column, known_at: datetime) -> list[Any]:
    """The steps that hold at some time of ``column``, up to what is known."""
    found = []
    for step, following in pairwise([*steps, None]):
        end = known_at if following is None else following.at
        if within(step.at, column) or (step.at < column.start < end):
            found.append(step)
    is_ahead = column.start >= known_at
    return [step for step in found if within(step.at, column)] if is_ahead else found


def worst(values: Sequence[Any], direction: Worst) -> Any:
    return min(values) if direction is Worst.LOWEST else max(values)


@pytest.fixture
def random_charts(nurse: User) -> Iterator[tuple[Course, datetime, Random]]:
    rng = Random(20261130)  # noqa: S311

    def charts() -> Iterator[tuple[Course, datetime, Random]]:
        for number in range(COURSES):
            raw = random_course(rng)
            raw["patient"] |= {"mrn": f"F{number}", "name": "Sheet, Sheila"}
            raw["therapy"]["product"] = "CAR-T"
            course = import_course(json.dumps(raw), [nurse])
            yield course, datetime.fromisoformat(rng.choice(instants(raw))), rng

    return charts()


def test_every_cell_is_that_of_the_entries_and_of_the_engine(
    nurse_client: Client, random_charts: Iterator[tuple[Course, datetime, Random]]
) -> None:
    compared = 0
    for course, known_at, rng in random_charts:
        chart = chart_of(course, known_at)
        sheet = sheet_of(nurse_client, course, known_at=known_at, bin=rng.choice(BINS))
        rows = rows_of(sheet)
        for place, column in enumerate(sheet.columns):
            cells = {key: row[place] for key, row in rows.items()}
            check_signs(cells, chart, column)
            check_results(cells, chart, column)
            check_traced(cells, chart, column, known_at)
            check_grades(cells, chart, column, known_at)
            compared += len(cells)
    assert compared > 3000


def check_signs(cells: dict[str, Cell], chart: Chart, column: Column) -> None:
    sets = chart.of(kinds.Vitals, column)
    for key, sign in VITAL_SIGN.items():
        numbers = [n for one in sets if (n := one.value_of(key)) is not None]
        cell = cells[key]
        if not numbers:
            assert cell.text == "" or cell.is_struck
            continue
        shown = {float(n): n for n in numbers}
        assert float(cell.text.strip("≈")) == pytest.approx(
            float(_worst_sign(numbers, key, cell)), abs=0.051
        ), (key, shown)
        assert sign.label


def _worst_sign(numbers: Sequence[Any], key: str, cell: Cell) -> Any:
    """Of several, one outside its limits goes before the direction: the arrow says which."""
    lowest, highest = min(numbers), max(numbers)
    if cell.arrows == "▲":
        return highest
    if cell.arrows == "▼":
        return lowest
    return worst(numbers, WORST_OF_SIGN[key])


def check_results(cells: dict[str, Cell], chart: Chart, column: Column) -> None:
    labs = chart.of(kinds.Lab, column)
    for analyte in {one.analyte for one in labs}:
        results = [one for one in labs if one.analyte is analyte]
        cell = cells[f"lab.{analyte}"]
        if len({one.unit for one in results}) == 1 and not cell.arrows:
            chosen = worst([one.value for one in results], worst_of_analyte(analyte))
            assert format_number(chosen) in cell.text
        else:
            assert any(format_number(one.value) in cell.text for one in results)


def check_traced(cells: dict[str, Cell], chart: Chart, column: Column, known_at: datetime) -> None:
    if column.end <= chart.known.course.infused_at or any(
        isinstance(e, kinds.Death) for e in chart.entries
    ):
        return
    if column.start < chart.known.course.infused_at:
        return
    oxygen = steps_in(chart.trace.oxygen, column, known_at)
    percents = [step.fio2_percent for step in oxygen if step.fio2_percent is not None]
    if percents:
        assert cells["fio2_percent"].text.strip("~?") == format_number(max(percents))
    if oxygen:
        device = max((step.device for step in oxygen), key=support_of)
        assert cells["device"].text == device.label
    check_doses(cells, chart, column, known_at)


def check_doses(cells: dict[str, Cell], chart: Chart, column: Column, known_at: datetime) -> None:
    equivalents = steps_in(chart.trace.equivalent, column, known_at)
    running = [step for step in equivalents if step.equivalent or step.limit is not None]
    text = cells["equivalent"].text.strip("?") if "equivalent" in cells else ""
    if running:
        high = [s for s in running if s.limit is not None and s.equivalent >= s.limit]
        assert text == format_number(max(s.equivalent for s in high or running), 2)
        assert bool(high) == (cells["equivalent"].arrows == "▲")
    elif not equivalents:
        assert text == ""
    for drug, steps in chart.trace.doses.items():
        doses = [s.dose for s in steps_in(steps, column, known_at) if s.runs and s.dose is not None]
        cell = cells.get(f"{drug}.dose")
        if cell is not None and doses:
            assert cell.text.strip("?") == format_number(max(doses), 2)


def check_grades(cells: dict[str, Cell], chart: Chart, column: Column, known_at: datetime) -> None:
    end = min(column.end, known_at)
    held = [
        period
        for period in chart.known.periods
        if period.start < end and (period.end is None or period.end > column.start)
    ]
    if column.start >= known_at:
        return
    assert cells["grade"].text == (str(max(p.grade for p in held)) if held else "–")
    bounds = [p.at_most for p in held if p.at_most > p.grade]
    if bounds:
        assert cells["could_be"].text == f"?{max(bounds)}"
    else:
        assert cells["could_be"].text in ("–", "no higher")
    met = {item["code"] for period in held for item in period.findings["criteria"]}
    shown = {
        key.removeprefix("criterion.")
        for key, cell in cells.items()
        if key.startswith("criterion.") and cell.grade is not None
    }
    assert shown == met

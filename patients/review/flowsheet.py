"""The flowsheet of a course: columns of time, rows of everything that is charted.

Plain values for the template: no request, no SQL.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from patients.display.text import moment_text, range_text
from patients.display.timeline import TimelineRow, build_rows
from patients.queries.flowsheet import FlowsheetData
from patients.queries.scales import ScalesOfWindow
from patients.review.flowsheet_columns import (
    Column,
    DayHead,
    build_columns,
    by_the_entry,
    by_the_hour,
    day_heads,
)
from patients.review.flowsheet_drugs import drugs
from patients.review.flowsheet_findings import (
    findings,
    fluids_and_weight,
    notes,
    results,
    treatments,
)
from patients.review.flowsheet_form import ALL_ROWS, MOST_COLUMNS, NEWEST_FIRST, FlowsheetQuery
from patients.review.flowsheet_grades import GradeRows
from patients.review.flowsheet_neurology import neurology, place_of_care
from patients.review.flowsheet_rows import Row, RowMaker
from patients.review.flowsheet_scales import scale_rows
from patients.review.flowsheet_signs import oxygen, sets, vital_signs

GRADE_KEY: Final = "grade"
BOUND_KEY: Final = "could_be"


@dataclass(frozen=True, slots=True)
class Section:
    """Rows under one heading; ``counts`` has a figure for each column, of what ``counted`` says."""

    key: str
    label: str
    rows: list[Row]
    counted: str = ""
    counts: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A flowsheet; ``entries`` are what its cells point to, by their place.

    ``empty_text`` says that nothing is charted in the window, ``shortened_text`` that it had more
    times than fit.
    """

    columns: list[Column]
    days: list[DayHead]
    sections: list[Section]
    entries: list[TimelineRow]
    range_text: str
    start: datetime
    end: datetime
    empty_text: str
    last_before: datetime | None
    shortened_text: str

    @property
    def row_count(self) -> int:
        return sum(len(section.rows) for section in self.sections)


def build_sheet(
    data: FlowsheetData,
    query: FlowsheetQuery,
    correctable: Container[str] = (),
    scales: ScalesOfWindow | None = None,
) -> Sheet:
    """Build the sheet of ``data`` as ``query`` asks for it.

    ``correctable`` are the kinds of entries that the user may correct. ``scales`` None: the sheet
    has no rows of other scales.
    """
    boundaries, shortened = _boundaries(data, query)
    columns = build_columns(boundaries, data.instant, is_by_entry=query.is_by_entry)
    listed = [*data.held, *data.entries]
    places = {one.read.id: place for place, one in enumerate(listed)}
    grades = GradeRows(data, columns)
    maker = RowMaker(data, data.trace(data.end), columns, places)
    others = []
    if scales is not None:
        others = scale_rows(scales, columns, data.instant, data.assessed_since)
    sections = [*_grade_sections(grades, others), *_entry_sections(maker, query.rows)]
    days = day_heads(columns, data.course.infused_at)
    if query.order == NEWEST_FIRST:
        columns, days = columns[::-1], days[::-1]
        sections = [_mirrored(section) for section in sections]
    window = range_text(boundaries[0], boundaries[-1])
    return Sheet(
        columns=columns,
        days=days,
        sections=sections,
        entries=build_rows(listed, data.chains, data.weights, correctable),
        range_text=window,
        start=boundaries[0],
        end=boundaries[-1],
        empty_text="" if data.entries else f"Nothing charted {window}.",
        last_before=data.last_before,
        shortened_text=shortened,
    )


def _boundaries(data: FlowsheetData, query: FlowsheetQuery) -> tuple[list[datetime], str]:
    """Return the boundaries of the columns, and a sentence where not all have room.

    By entries, a column begins with every time that something was charted for or at which the
    grade, its bound or a criterion changed.
    """
    if not query.is_by_entry:
        return by_the_hour(data.start, data.end, query.bin_hours), ""
    instants = [one.row.at for one in data.entries]
    instants += [period.start for period in data.periods]
    found = by_the_entry(data.start, data.end, instants)
    if len(found) - 1 <= MOST_COLUMNS:
        return found, ""
    kept = found[-MOST_COLUMNS - 1 :]
    return kept, (
        f"{len(found) - 1} times are more than fit: the latest {MOST_COLUMNS} are shown, from "
        f"{moment_text(kept[0])}. Choose hours as columns, or an earlier end."
    )


def _grade_sections(grades: GradeRows, others: Sequence[Row]) -> list[Section]:
    criteria = [
        Row(f"criterion.{one.code}", one.label, "", one.cells, grade=one.grade)
        for one in grades.criteria()
    ]
    top = [
        Row(GRADE_KEY, "CRS grade", "Lee", grades.grade(), "highest"),
        Row(BOUND_KEY, "Could be", "", grades.bound(), "highest"),
        *others,
    ]
    return [Section("grade", "Grade", top), Section("criteria", "Criteria met", criteria)]


_SECTIONS: Final = (
    ("oxygen", "Oxygen", oxygen),
    ("drugs", "Vasopressors", drugs),
    ("fluids", "Fluids and weight", fluids_and_weight),
    ("results", "Results", results),
    ("neurology", "Consciousness and neurology", neurology),
    ("findings", "Findings", findings),
    ("treatments", "Treatments", treatments),
    ("care", "Place of care", place_of_care),
    ("notes", "Notes", notes),
)
_SECTIONS_OF: Final[Mapping[str, Container[str]]] = {
    "oxygen_and_drugs": ("oxygen", "drugs", "fluids"),
    "findings": ("neurology", "findings", "treatments", "care", "notes"),
    "findings_only": ("findings",),
}
"""The sections of a choice of rows that shows another one than that of its own key."""


def _entry_sections(maker: RowMaker, wanted: str) -> list[Section]:
    """Return the sections that ``wanted`` names; the grade stands above each choice of rows."""
    shown = _SECTIONS_OF.get(wanted, (wanted,))
    sections: list[Section] = []
    if wanted in (ALL_ROWS, "vital_signs"):
        sections.append(
            Section("vital_signs", "Vital signs", vital_signs(maker), "sets", sets(maker))
        )
    sections += [
        Section(key, label, rows_of(maker))
        for key, label, rows_of in _SECTIONS
        if wanted == ALL_ROWS or key in shown
    ]
    return [section for section in sections if section.rows]


def _mirrored(section: Section) -> Section:
    rows = [
        Row(row.key, row.label, row.unit, row.cells[::-1], row.worst, row.grade)
        for row in section.rows
    ]
    counts = list(section.counts)[::-1]
    return Section(section.key, section.label, rows, section.counted, counts)

"""Make the course files of a cohort out of flowsheets: a list of courses, and tables of rows."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from grading.course_file import FORMAT, CourseFileError, Fault, read_course
from patients.exchange.formats.context import Context, Filing, SystemKind
from patients.exchange.formats.exact_json import write_json
from patients.exchange.formats.flowsheet import read_rows
from patients.exchange.formats.flowsheet_bags import Overlap
from patients.exchange.formats.flowsheet_map import FlowsheetMap
from patients.exchange.formats.flowsheet_rows import Row, instant, rows_of
from patients.exchange.formats.received import RefusedDocumentError
from patients.exchange.formats.unreadable import UnreadableError
from patients.exchange.to_course import Answer

_FLOWSHEET: Final = "flowsheet"
_OF_PATIENT: Final = ("name", "birth_date", "age_years", "sex")
COLUMNS: Final = ("patient_id", "infused_at", "product", "weight_kg", *_OF_PATIENT)
"""The columns of a list of courses; the age or the birth date is needed."""
_NEEDED: Final = ("patient_id", "infused_at")
_TIMES: Final = ("time", "end_time", "storetime")


@dataclass(slots=True)
class Cohort:
    """Courses by the id of their patient, the rows of each, and what became of them.

    ``held`` counts what is not charted by its reason, ``refused`` says why a course is left out.
    """

    courses: Mapping[str, Mapping[str, Any]]
    zone: ZoneInfo
    rows: dict[str, list[tuple[Row, FlowsheetMap]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    others: int = 0
    held: Counter[str] = field(default_factory=Counter)
    held_items: list[dict[str, Any]] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    def add(self, lines: Iterable[str], maps: Sequence[FlowsheetMap]) -> None:
        """Take the rows of one table; raises RefusedDocumentError where it is none."""
        for row, mapped in rows_of(lines, maps):
            if row.patient in self.courses:
                self.rows[row.patient].append((row, mapped))
            else:
                self.others += 1

    def course_files(self, overlap: Overlap, now: datetime | None) -> Iterator[str]:
        """Yield the course file of each course in one line.

        Its entries are charted when the flowsheet stored them, else ``now``; None is the last time
        that a row of the course has.
        """
        for patient, course in self.courses.items():
            rows = self.rows.get(patient, [])
            if not rows:
                self.refused[patient] = "no row is of this patient"
                continue
            answer = Answer(self._context(course))
            try:
                document = read_rows(rows, answer.context, overlap)
                answer.add(document, now or self._last_time(rows))
            except RefusedDocumentError as error:
                self.refused[patient] = f"{error.place}: {error.words}"
                continue
            words = answer.as_json()
            for item in answer.held:
                self.held[item.reason] += item.count
            self.held_items += [{"patient_id": patient, **item} for item in words["held"]]
            yield write_json(words["course"]) + "\n"

    def _context(self, course: Mapping[str, Any]) -> Context:
        return Context(
            course, "", self.zone, _FLOWSHEET, SystemKind.EHR, {"default": Filing.FILE}
        )  # fmt: skip

    def _last_time(self, rows: Iterable[tuple[Row, FlowsheetMap]]) -> datetime:
        times = [
            time
            for row, _ in rows
            for column in _TIMES
            if (time := self._time(row.text(column))) is not None
        ]
        return max(times, default=datetime.now(UTC))

    def _time(self, text: str) -> datetime | None:
        try:
            return instant(text, self.zone)
        except UnreadableError:
            return None


def read_cohort(lines: Iterable[str], zone: ZoneInfo) -> Cohort:
    """Read a list of courses in CSV: a course without entries by the id of its patient.

    A course with a fault is left out, like a faulty line of a cohort of course files; raises
    CourseFileError where the list has a fault. A time without an offset is one of ``zone``. Of a
    course without a product, ``not stated`` is written.
    """
    reader = csv.DictReader(lines, strict=True)
    faults: list[Fault] = []
    courses: dict[str, dict[str, Any]] = {}
    refused: dict[str, str] = {}
    try:
        names = [name.strip() for name in reader.fieldnames or ()]
        faults += [Fault("row 1", f"no column {name}") for name in _NEEDED if name not in names]
        faults += [
            Fault("row 1", f"no such column here: {name[:60]}")
            for name in names
            if name not in COLUMNS
        ]
        for number, cells in enumerate([] if faults else reader, start=2):
            course, found = _course(cells, zone)
            patient = course["patient"]["mrn"]
            if patient in courses:
                found.append(Fault("patient_id", "has a course above; one patient, one course"))
            if found:
                refused[f"row {number}"] = "; ".join(map(str, found))
            else:
                courses[patient] = course
    except (csv.Error, UnicodeError) as error:
        faults.append(Fault("document", f"no CSV in UTF-8: {error}"))
    if faults:
        raise CourseFileError(faults)
    return Cohort(courses, zone, refused=refused)


def _course(cells: Mapping[str, Any], zone: ZoneInfo) -> tuple[dict[str, Any], list[Fault]]:
    words = {
        str(key).strip(): value.strip() for key, value in cells.items() if isinstance(value, str)
    }
    faults: list[Fault] = []
    patient = {key: words[key] for key in _OF_PATIENT if words.get(key)}
    infused_at: str | None = None
    try:
        infused_at = instant(words.get("infused_at", ""), zone).isoformat()
    except UnreadableError as error:
        faults.append(Fault("infused_at", error.what))
    course: dict[str, Any] = {
        "format": FORMAT,
        "patient": {"mrn": words.get("patient_id", ""), **patient},
        "therapy": {"product": words.get("product") or "not stated", "infused_at": infused_at},
        "entries": [],
    }
    if words.get("weight_kg"):
        course["weight_kg"] = words["weight_kg"]
    if not course["patient"]["mrn"]:
        faults.append(Fault("patient_id", "required"))
    if not faults:
        try:
            read_course(course)
        except CourseFileError as error:
            faults += error.faults
    return course, faults

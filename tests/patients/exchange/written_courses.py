"""Course files that the export is tried with: demonstration patients, worked cases, random ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from grading.json_document import read_json
from patients.demo.ward import ward
from patients.exchange.formats.charted import (
    Act,
    AnsweredItem,
    Author,
    ChartRecord,
    SourceMessage,
)
from tests.grading.random_courses import Raw, random_course
from tests.grading.random_scale_courses import random_scale_course
from tests.grading.scale_case_tables import ALL_SCALE_CASES, documents
from tests.grading.test_cases import ALL_CASES, DEMO, charted_entries, instant

NOW = datetime(2026, 3, 10, 14, 37, tzinfo=UTC)


def demo_courses() -> Iterator[tuple[str, Raw]]:
    for path in sorted(DEMO.glob("*.json")):
        yield path.stem, read_json(path.read_bytes())
    for placed in ward(NOW):
        yield placed.document["patient"]["mrn"], placed.document


def worked_courses() -> Iterator[tuple[str, Raw]]:
    """The courses of the worked cases of Lee's table: a course a case, or a course a row."""
    for case in ALL_CASES:
        if case.is_one_course:
            times = [instant(row["time"]) for row in case.rows]
            cells = zip(case.rows, times, strict=True)
            entries = [entry for row, at in cells for entry in charted_entries(row["charted"], at)]
            yield case.place, case.course | {"entries": entries}
        else:
            at = instant("10:00")
            for number, row in enumerate(case.rows):
                entries = charted_entries(row["charted"], at)
                yield f"{case.place}, row {number + 1}", case.course | {"entries": entries}


def scale_courses() -> Iterator[tuple[str, Raw]]:
    """The courses of the worked cases of other scales, which have kinds of crs-course/2."""
    for case in ALL_SCALE_CASES:
        for place, document, _, _ in documents(case):
            yield place, document


def random_courses(count: int, seed: str = "exchange") -> Iterator[tuple[str, Raw]]:
    generator = random.Random(seed)  # noqa: S311  (repeatable courses)
    for number in range(count):
        yield f"random {number}", random_course(generator)


def random_scale_courses(count: int, seed: str = "exchange") -> Iterator[tuple[str, Raw]]:
    generator = random.Random(seed)  # noqa: S311  (repeatable courses)
    for number in range(count):
        yield f"random {number} of other scales", random_scale_course(generator)


def resources(bundle: Any, kind: str) -> list[Any]:
    return [one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == kind]


NURSE = Author("nurse", "A. Ruiz", "ward clinician")
ANALYSER = Author("lab-1", "Laboratory", "system", is_interface=True)


def recorded_course() -> Raw:
    """A course of the chart: a corrected, a retracted and an interface's entry, and an answer."""
    entries = [
        {
            "id": "wrong", "kind": "vitals", "at": "2026-03-02T09:30:00+01:00",
            "temperature_c": "40.0",
        },
        {
            "id": "right", "kind": "vitals", "at": "2026-03-02T09:30:00+01:00", "replaces": "wrong",
            "recorded_at": "2026-03-02T09:45:00+01:00", "temperature_c": "37.0",
        },
        {"id": "other bed", "kind": "weight", "at": "2026-03-02T09:50:00+01:00", "weight_kg": "50"},
        {
            "id": "gone", "kind": "retraction", "at": "2026-03-02T09:55:00+01:00",
            "replaces": "other bed",
        },
        {
            "id": "alt", "kind": "lab", "at": "2026-03-02T10:00:00+01:00", "analyte": "alt",
            "value": "100", "unit": "U/L", "upper_limit": "40", "comparator": ">",
        },
        {
            "id": "given", "kind": "treatment", "at": "2026-03-02T10:10:00+01:00",
            "agent": "tocilizumab", "dose_mg": "320",
        },
    ]  # fmt: skip
    return {
        "format": "crs-course/1",
        "patient": {"mrn": "4711", "name": "Jana Müller", "birth_date": "1980-06-15"},
        "therapy": {"product": "CAR-T", "infused_at": "2026-03-01T09:00:00+01:00"},
        "entries": entries,
    }


def _at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-02T{text}:00+01:00")


CHART_RECORD = ChartRecord(
    course_id="5b0b1c0e-0000-4000-8000-000000000001",
    patient_id="5b0b1c0e-0000-4000-8000-000000000002",
    ward="4 West",
    bed="12",
    ended_at=_at("18:00"),
    acts=(
        Act(_at("09:30"), ["wrong"], NURSE),
        Act(_at("09:45"), ["right"], NURSE, reason="typed for the wrong bed"),
        Act(_at("09:50"), ["other bed"], NURSE),
        Act(_at("09:55"), ["gone"], NURSE, reason="another patient"),
        Act(_at("10:00"), ["alt"], ANALYSER, message=SourceMessage("lab-1", "77"), verifier=NURSE),
        Act(_at("10:10"), ["given"], NURSE),
    ),
    answers=(AnsweredItem("tocilizumab.dose", _at("10:10"), "done", NURSE),),
)

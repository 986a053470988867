"""Flowsheets by the commands: a cohort to graded answers in two, a course, and onto the chart."""

from __future__ import annotations

import gzip
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from grading.__main__ import main as grade
from patients.exchange.__main__ import main
from patients.exchange.register import register_system
from patients.models import ActSource, Course, Entry, InboundMessage, SystemKind
from tests.factories import ago

MAP = {
    "sys": {"field": "systolic_mmhg", "unit": "mmHg"},
    "temp": {"field": "temperature_f", "unit": "F"},
    "norepi": {"drug": "norepinephrine", "units": {"mcg/min": "ug/min"}},
}
COURSES = """patient_id,infused_at,product,age_years,sex,weight_kg
1,2150-01-01 08:00:00,CAR-T,54,female,80
2,2150-01-01 08:00:00,CAR-T,61,male,
3,2150-01-01 08:00:00,CAR-T,40,male,
4,2150-01-01,CAR-T,40,male,
5,2150-01-01 08:00:00,CAR-T,,male,
6,2150-01-01 08:00:00,CAR-T,30,male,
"""
ROWS = """patient_id,time,item,value,unit,end_time
1,2150-01-01 10:00:00,temp,100.4,F,
1,2150-01-01 12:00:00,temp,100.399,F,
2,2150-01-01 10:00:00,norepi,25,mcg/min,2150-01-01 14:00:00
2,2150-01-01 15:00:00,spo2,93,%,
3,2150-01-01 10:00:00,norepi,5,mcg/min,2150-01-01 14:00:00
3,2150-01-01 11:00:00,norepi,5,mcg/min,2150-01-01 14:00:00
9,2150-01-01 11:00:00,temp,100,F,
"""
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "map.json").write_text(json.dumps(MAP))
    (tmp_path / "courses.csv").write_text(COURSES)
    (tmp_path / "rows.csv").write_text(ROWS)
    return tmp_path


def to_course(folder: Path, *options: str, file: str = "rows.csv") -> int:
    chosen = [str(folder / one) if (folder / one).exists() else one for one in options]
    return main(
        ["to-course", "--csv", "--map", str(folder / "map.json"), *chosen, str(folder / file)]
    )


def test_a_cohort_goes_from_a_table_to_graded_answers_by_two_commands(
    folder: Path, capsys: Captured
) -> None:
    held = folder / "held.jsonl"
    assert to_course(folder, "--courses", "courses.csv", "--held", str(held)) == 1
    found = capsys.readouterr()
    (folder / "courses.jsonl").write_text(found.out)
    assert grade(["--jsonl", str(folder / "courses.jsonl")]) == 0
    first, second = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["grade"], one["from"][11:16]) for one in first["periods"]] == [
        (0, "08:00"), (1, "10:00"), (0, "12:00"),
    ]  # fmt: skip
    assert second["maximum"] == 3
    assert [json.loads(line) for line in held.read_text().splitlines()] == [
        {
            "patient_id": "2", "reason": "code.unknown", "place": "row 5",
            "what": '"spo2" is not in the map', "count": 1,
        }
    ]  # fmt: skip
    for words in (
        "row 5: left out: infused_at: its time is a day alone",
        "row 6: left out: patient: birth_date or age_years is required",
        "3: left out: row 7: bags of one drug overlap: row 6 and row 7",
        "6: left out: no row is of this patient",
        "not charted: code.unknown: 1",
        "rows of other patients: 1",
        "2 courses written",
    ):
        assert words in found.err


def test_bags_that_overlap_are_converted_as_a_person_says(folder: Path, capsys: Captured) -> None:
    assert to_course(folder, "--courses", "courses.csv", "--overlap", "sum") == 1
    third = json.loads(capsys.readouterr().out.splitlines()[2])
    assert [one["rate"] for one in third["entries"]] == [5, 10, 0]


def test_a_table_may_be_packed_and_its_times_of_a_zone(folder: Path, capsys: Captured) -> None:
    (folder / "rows.csv.gz").write_bytes(gzip.compress(ROWS.encode()))
    options = ("--courses", "courses.csv", "--timezone", "America/New_York")
    assert to_course(folder, *options, file="rows.csv.gz") == 1
    course = json.loads(capsys.readouterr().out.splitlines()[0])
    assert course["therapy"]["infused_at"] == "2150-01-01T08:00:00-05:00"
    assert course["entries"][0]["at"] == "2150-01-01T10:00:00-05:00"


def context(**patient: Any) -> dict[str, Any]:
    course = {
        "format": "crs-course/1",
        "patient": {"mrn": "1", "age_years": 54, **patient},
        "therapy": {"product": "CAR-T", "infused_at": "2150-01-01T08:00:00+00:00"},
        "entries": [],
    }
    system = {"name": "warehouse", "kind": "ehr", "filing": {"default": "file"}}
    return {"course": course, "mrn_system": "", "timezone": "UTC", "system": system}


def test_a_course_takes_the_rows_of_its_patient(folder: Path, capsys: Captured) -> None:
    words = context() | {"mrn_system": "urn:crs:mrn"}
    (folder / "context.json").write_text(json.dumps(words))
    now = "2150-02-01T00:00:00+00:00"
    assert to_course(folder, "--context", "context.json", "--now", now) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [one["temperature_f"] for one in answer["course"]["entries"]] == [100.4, 100.399]
    assert [one["reason"] for one in answer["remarks"]] == ["patient.other"]
    (folder / "context.json").write_text(json.dumps(context(mrn="8") | {"mrn_system": "urn:x"}))
    assert to_course(folder, "--context", "context.json") == 2
    assert "none of 7 rows is of the patient" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("courses", "fault"),
    [
        ("patient_id,product\n1,CAR-T\n", "row 1: no column infused_at"),
        ("patient_id,infused_at,ward\n", "row 1: no such column here: ward"),
        ('patient_id,infused_at\n"1,2\n', "no CSV in UTF-8"),
    ],
)
def test_a_list_of_courses_with_a_fault_is_refused(
    folder: Path, capsys: Captured, courses: str, fault: str
) -> None:
    (folder / "courses.csv").write_text(courses)
    assert to_course(folder, "--courses", "courses.csv") == 2
    found = capsys.readouterr()
    assert fault in found.err
    assert found.out == ""


def test_the_options_of_a_flowsheet_stand_together(folder: Path, capsys: Captured) -> None:
    (folder / "context.json").write_text(json.dumps(context() | {"mrn_system": "urn:x"}))
    arguments = ["to-course", "--context", str(folder / "context.json"), str(folder / "rows.csv")]
    assert main([*arguments, "--csv"]) == 2
    assert "--csv: needs --map" in capsys.readouterr().err
    (folder / "map.json").write_text('{"sys": {"field": "pulse"}}')
    assert to_course(folder, "--courses", "courses.csv") == 2
    assert "map.sys.field: expected one of" in capsys.readouterr().err


def imported(*files: Path, folder: Path, **options: str) -> tuple[int, str]:
    """Exit status, and everything that was written."""
    out = StringIO()
    words = ["--system", "warehouse", "--map", str(folder / "map.json"), *map(str, files)]
    try:
        call_command("import_flowsheet", *words, stdout=out, stderr=out, **options)
    except CommandError as error:
        return error.returncode, out.getvalue() + str(error)
    return 0, out.getvalue()


def test_rows_of_the_patients_of_the_chart_are_charted_as_of_a_system(
    course: Course, folder: Path
) -> None:
    register_system("warehouse", SystemKind.EHR, by=None, mrn_system="urn:x")
    at = ago(minutes=30).isoformat()
    table = folder / "now.csv"
    rows = [f"{course.patient.mrn},{at},temp,101.3,F", f"{course.patient.mrn},{at},glucose,90,"]
    table.write_text("\n".join(["patient_id,time,item,value,unit", *rows, f"none,{at},temp,99,F"]))
    status, words = imported(table, folder=folder)
    assert status == 2
    assert f"{course.patient.mrn}: 1 charted, 1 held" in words
    assert 'held: row 3: code.unknown: "glucose" is not in the map' in words
    assert "none: no such patient" in words
    entry = Entry.objects.get(course=course, kind="vitals")
    assert entry.body == {"temperature_f": "101.3"}
    assert entry.act.source == ActSource.INTERFACE
    assert InboundMessage.objects.filter(format="flowsheet").count() == 2
    _, words = imported(table, folder=folder)
    assert "came before, nothing is new" in words
    assert Entry.objects.filter(course=course, kind="vitals").count() == 1


def test_a_table_that_cannot_be_read_imports_nothing(course: Course, folder: Path) -> None:
    register_system("warehouse", SystemKind.EHR, by=None, mrn_system="urn:x")
    (folder / "bad.csv").write_text("patient,time\n")
    assert imported(folder / "rows.csv", folder / "bad.csv", folder=folder)[0] == 2
    assert imported(folder / "gone.csv", folder=folder)[0] == 2
    (folder / "map.json").write_text("[]")
    status, words = imported(folder / "rows.csv", folder=folder)
    assert (status, "map: expected a JSON object" in words) == (2, True)
    assert not InboundMessage.objects.exists()

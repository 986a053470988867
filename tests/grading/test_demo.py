"""The demo ward: eight courses that read without a fault and have the grade they are meant to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from grading.course_file import read_course
from grading.course_result import result_json
from patients.demo.ward import Placed, ward

NOW = datetime(2026, 3, 10, 14, 37, 22, tzinfo=UTC)
MINUTE = NOW.replace(second=0)
WARD = ward(NOW)
GRADES = {
    "DEMO-0001": (0, 0, set()),
    "DEMO-0002": (1, 1, set()),
    "DEMO-0003": (1, 2, {"hypotension.no_baseline"}),
    "DEMO-0004": (2, 2, set()),
    "DEMO-0005": (2, 2, set()),
    "DEMO-0006": (2, 3, {"oxygen.fio2"}),
    "DEMO-0007": (3, 3, set()),
    "DEMO-0008": (4, 4, set()),
}
each_patient = pytest.mark.parametrize("placed", WARD, ids=lambda p: p.document["patient"]["mrn"])


@each_patient
def test_it_reads_without_a_fault_and_has_its_grade_now(placed: Placed) -> None:
    document = placed.document
    assert len(read_course(document).entries) >= 40
    found = result_json(document, now=MINUTE)
    last = [period for period in found["periods"] if not period["projected"]][-1]
    unknown = {item["code"] for item in last["unknown"]}
    mrn = document["patient"]["mrn"]
    assert (found["current"]["grade"], found["current"]["at_most"], unknown) == GRADES[mrn]


@each_patient
def test_nothing_is_charted_after_now(placed: Placed) -> None:
    for entry in placed.document["entries"]:
        at, recorded_at = (datetime.fromisoformat(entry[key]) for key in ("at", "recorded_at"))
        assert at <= recorded_at <= MINUTE


def test_grade_3_is_40_min_away_by_the_three_hour_rule() -> None:
    found = result_json(WARD[4].document, now=MINUTE)
    coming = [period for period in found["periods"] if period["projected"]]
    assert coming[0]["grade"] == 3
    assert datetime.fromisoformat(coming[0]["from"]) == MINUTE + timedelta(minutes=40)


def test_the_ward_shows_what_a_chart_can_hold() -> None:
    entries = [entry for placed in WARD for entry in placed.document["entries"]]
    assert any(entry["kind"] == "retraction" for entry in entries)
    assert any("replaces" in entry and entry["kind"] != "retraction" for entry in entries)
    assert any(entry.get("attribution") == "other" for entry in entries)
    assert any(entry.get("agent") == "tocilizumab" for entry in entries)
    assert len({entry["id"] for entry in entries}) == len(entries)
    assert len({(placed.ward, placed.bed) for placed in WARD}) == len(WARD)


def test_the_same_now_gives_the_same_ward() -> None:
    assert ward(NOW) == WARD

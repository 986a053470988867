"""The worked cases of the other scales, graded by the engine and by the second implementation.

Each row of ``scale_cases/*.md`` is written from the published tables, for a clinician to sign.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from grading.course_result import result_json
from tests.grading.scale_case_tables import (
    ALL_SCALE_CASES,
    GLANCE_SCALES,
    SCALE_CASES,
    Comparison,
    Json,
    ScaleCase,
    documents,
    expected,
    read_comparisons,
    read_glance,
)
from tests.grading.scales_comparison import NOTHING, as_shown, graded, of, rows
from tests.grading.scales_oracle.answers import answer_at, read
from tests.grading.scales_oracle.differ import differ_at, patterns_at

GLANCE = list(read_glance())
COMPARISONS = list(read_comparisons())


def by_the_second_implementation(document: Json, at: datetime, scale: str) -> dict[str, Any]:
    return as_shown(answer_at(read(document, at.isoformat(), None), at, scale))


def by_the_engine(document: Json, at: datetime, scale: str) -> dict[str, Any]:
    """The grade at an instant, and its period, which must agree with each other."""
    found = result_json(json.dumps(document), at, scales=(scale,))["scales"][scale]
    if found["current"]["grade"] is None:
        return NOTHING
    last = of([period for period in found["periods"] if not period["projected"]][-1])
    assert found["current"] == {"grade": last["grade"], "at_most": last["at_most"]}
    return last


@pytest.mark.parametrize("case", ALL_SCALE_CASES, ids=lambda case: case.place)
def test_the_engine_grades_as_the_tables(case: ScaleCase) -> None:
    wrong = [
        (place, wanted, found)
        for place, document, at, row in documents(case)
        if (wanted := expected(row)) != (found := by_the_engine(document, at, case.scale))
    ]
    assert wrong == []


@pytest.mark.parametrize(("finding", "document", "at", "grades"), GLANCE)
def test_the_engine_grades_each_finding_as_at_a_glance(
    finding: str, document: Json, at: datetime, grades: dict[str, int | None]
) -> None:
    answer = result_json(json.dumps(document), at, scales="all")
    lee = {"lee-2014": answer["current"]["grade"]}
    assert lee | {key: one["current"]["grade"] for key, one in answer["scales"].items()} == grades


@pytest.mark.parametrize("compared", COMPARISONS, ids=lambda compared: compared.finding)
def test_the_engine_says_why_a_scale_differs(compared: Comparison) -> None:
    answer = result_json(json.dumps(compared.document), compared.at, scales=(compared.against,))
    assert rows(answer["differ"]) == rows(compared.reasons)
    scales = graded(compared.document, compared.at.isoformat(), None).scales
    assert scales is not None
    assert sorted(pattern.id for pattern in scales.patterns) == sorted(compared.patterns)


@pytest.mark.parametrize("case", ALL_SCALE_CASES, ids=lambda case: case.place)
def test_the_second_implementation_grades_as_the_tables(case: ScaleCase) -> None:
    wrong = [
        (place, wanted, found)
        for place, document, at, row in documents(case)
        if (wanted := expected(row))
        != (found := by_the_second_implementation(document, at, case.scale))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("finding", "document", "at", "grades"), GLANCE, ids=[g[0] for g in GLANCE]
)
def test_the_second_implementation_grades_each_finding_as_at_a_glance(
    finding: str, document: Json, at: datetime, grades: dict[str, int | None]
) -> None:
    chart = read(document, at.isoformat(), None)
    assert {key: answer_at(chart, at, key).grade for key in GLANCE_SCALES.values()} == grades


@pytest.mark.parametrize("compared", COMPARISONS, ids=lambda compared: compared.finding)
def test_the_second_implementation_says_why_a_scale_differs(compared: Comparison) -> None:
    chart = read(compared.document, compared.at.isoformat(), None)
    assert differ_at(chart, compared.at, [compared.against]) == compared.reasons
    assert sorted(patterns_at(chart, compared.at)) == sorted(compared.patterns)


@pytest.mark.parametrize("path", sorted(SCALE_CASES.glob("*.md")), ids=lambda path: path.stem)
def test_every_file_of_cases_opens_with_a_place_to_sign(path: Path) -> None:
    opening = path.read_text(encoding="utf-8").split("\n## ")[0]
    assert all(f"| {word} |" in opening for word in ("Reviewer", "Role", "Date"))


def test_every_scale_has_its_file_of_cases() -> None:
    assert {case.scale for case in ALL_SCALE_CASES} == {*GLANCE_SCALES.values()} - {"lee-2014"}

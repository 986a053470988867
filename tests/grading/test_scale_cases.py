"""The worked cases of the other scales, graded by the engine and by the second implementation.

Each row of ``scale_cases/*.md`` is written from the published tables, for a clinician to sign.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from grading.course_file import read_course
from grading.course_result import grade_course, result_json
from grading.scales import SCALES
from tests.grading.scale_case_tables import (
    ALL_SCALE_CASES,
    GLANCE_SCALES,
    Comparison,
    Json,
    ScaleCase,
    documents,
    expected,
    read_comparisons,
    read_glance,
)
from tests.grading.scales_oracle.answers import answer_at, read
from tests.grading.scales_oracle.differ import differ_at, patterns_at

GLANCE = list(read_glance())
COMPARISONS = list(read_comparisons())


def by_the_engine(document: Json, at: datetime, scale: str) -> dict[str, Any]:
    """What the course file's answer says of a scale at an instant."""
    answer = result_json(document, at, scales=[scale])["scales"][scale]
    codes: dict[str, dict[str, int]] = {"criteria": {}, "unknown": {}, "withheld": {}}
    if answer["current"]["grade"] is not None:
        period = [one for one in answer["periods"] if not one["projected"]][-1]
        codes = {
            "criteria": {one["code"]: one["grade"] for one in period["criteria"]},
            "unknown": {one["code"]: one["could_reach"] for one in period["unknown"]},
            "withheld": {one["code"]: one["grade"] for one in period.get("withheld", ())},
        }
    return {**answer["current"], **codes}


def by_the_second_implementation(document: Json, at: datetime, scale: str) -> dict[str, Any]:
    answer = answer_at(read(document, at.isoformat(), None), at, scale)
    return {
        "grade": answer.grade,
        "at_most": answer.at_most,
        "criteria": {code: criterion.grade for code, criterion in answer.met.items()},
        "unknown": answer.unknown,
        "withheld": {code: criterion.grade for code, criterion in answer.withheld.items()},
    }


@pytest.mark.parametrize("case", ALL_SCALE_CASES, ids=lambda case: case.place)
def test_the_engine_grades_as_the_tables(case: ScaleCase) -> None:
    wrong = [
        (place, wanted, found)
        for place, document, at, row in documents(case)
        if (wanted := expected(row)) != (found := by_the_engine(document, at, case.scale))
    ]
    assert wrong == []


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
def test_the_engine_grades_each_finding_as_at_a_glance(
    finding: str, document: Json, at: datetime, grades: dict[str, int | None]
) -> None:
    answer = result_json(document, at, scales="all")
    found = {key: one["current"]["grade"] for key, one in answer["scales"].items()}
    assert {"lee-2014": answer["current"]["grade"], **found} == grades


@pytest.mark.parametrize(
    ("finding", "document", "at", "grades"), GLANCE, ids=[g[0] for g in GLANCE]
)
def test_the_second_implementation_grades_each_finding_as_at_a_glance(
    finding: str, document: Json, at: datetime, grades: dict[str, int | None]
) -> None:
    chart = read(document, at.isoformat(), None)
    assert {key: answer_at(chart, at, key).grade for key in GLANCE_SCALES.values()} == grades


@pytest.mark.parametrize("compared", COMPARISONS, ids=lambda compared: compared.finding)
def test_the_engine_says_why_a_scale_differs(compared: Comparison) -> None:
    document = read_course(compared.document)
    scales = grade_course(document, compared.at, scales=SCALES).scales
    assert scales is not None
    assert sorted(one.id for one in scales.patterns) == sorted(compared.patterns)
    answer = result_json(compared.document, compared.at, scales=[compared.against])
    reasons = [{k: v for k, v in row.items() if k != "text"} for row in answer["differ"]]
    for row in reasons:
        row["withheld"] = [one["code"] for one in row["withheld"]]
    assert reasons == compared.reasons


@pytest.mark.parametrize("compared", COMPARISONS, ids=lambda compared: compared.finding)
def test_the_second_implementation_says_why_a_scale_differs(compared: Comparison) -> None:
    chart = read(compared.document, compared.at.isoformat(), None)
    assert differ_at(chart, compared.at, [compared.against]) == compared.reasons
    assert sorted(patterns_at(chart, compared.at)) == sorted(compared.patterns)

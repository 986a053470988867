"""The worked cases of the other scales, graded by the engine and by the second implementation.

Each row of ``scale_cases/*.md`` is written from the published tables, for a clinician to sign.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

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


@pytest.mark.parametrize(
    "compared", list(read_comparisons()), ids=lambda compared: compared.finding
)
def test_the_second_implementation_says_why_a_scale_differs(compared: Comparison) -> None:
    chart = read(compared.document, compared.at.isoformat(), None)
    assert differ_at(chart, compared.at, [compared.against]) == compared.reasons
    assert sorted(patterns_at(chart, compared.at)) == sorted(compared.patterns)

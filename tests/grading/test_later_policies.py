"""Policies that follow during a course, in its file."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grading.course_file import CourseFileError, read_course
from grading.course_result import grade_course
from grading.service import regrade
from tests.grading.strategies import courses
from tests.grading.test_policy_changes import a_course

DOCUMENT: dict[str, Any] = {
    "format": "crs-course/1",
    "patient": {"mrn": "M1", "name": "A", "age_years": 54},
    "therapy": {"product": "CAR-T", "infused_at": "2014-01-01T09:00:00Z"},
    "entries": [{"kind": "vitals", "at": "2014-01-01T10:00:00Z", "temperature_c": "38.2"}],
}
STRICTER = {"from": "2014-01-01T11:00:00Z", "policy": {"fever_threshold_c": "38.5"}}


def test_each_instant_is_graded_by_the_policy_of_its_time() -> None:
    document = read_course({**DOCUMENT, "later_policies": [STRICTER]})
    periods = regrade(document.facts, document.entries).periods
    assert [(f"{one.start:%H:%M}", one.grade) for one in periods] == [
        ("09:00", 0),
        ("10:00", 1),
        ("11:00", 0),
    ]


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.data())
def test_what_is_written_is_what_is_read(data: st.DataObject) -> None:
    raw, document = a_course(data, courses())
    written = [
        {"from": one.at.isoformat(), "policy": one.policy.values()}
        for one in document.facts.policies
    ]
    again = read_course(json.dumps({**raw, "later_policies": written}))
    assert again.facts == document.facts
    assert grade_course(again).periods == grade_course(document).periods


@pytest.mark.parametrize(
    ("later", "place"),
    [
        ({}, "later_policies"),
        ([None], "later_policies[0]"),
        ([{"policy": {}}], "later_policies[0].from"),
        ([{"from": "soon"}], "later_policies[0].from"),
        ([{"from": "2014-01-01T11:00:00Z", "until": "x"}], "later_policies[0].until"),
        ([{**STRICTER, "policy": {"fever_threshold_c": "99"}}],
         "later_policies[0].policy.fever_threshold_c"),
        ([STRICTER, STRICTER], "later_policies[1].from"),
    ],
)  # fmt: skip
def test_a_wrong_policy_is_a_fault_at_its_place(later: Any, place: str) -> None:
    with pytest.raises(CourseFileError) as caught:
        read_course({**DOCUMENT, "later_policies": later})
    assert [fault.place for fault in caught.value.faults] == [place]

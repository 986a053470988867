"""Corners of the other scales that random courses seldom meet."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from grading.course_file import read_course
from grading.course_result import grade_course
from grading.engine.scale import Axis, Scale
from grading.engine.systems.icans_2019 import ICANS_2019
from grading.scales import SCALES, CourseScales, grade_scales
from tests.grading.scale_answers import grade_at, graded, period_at
from tests.grading.test_scale_checkpoints import checkpoint_at
from tests.grading.test_scale_list import (
    ANTIPYRETIC,
    FEVER,
    LOW,
    NORMAL,
    PRESSOR,
    SEIZURE,
    VASOPRESSIN,
    Json,
    chart_at,
    course,
    hours,
)

ASTCT, ICANS = "astct-2019", "icans-2019"
LATER = 26
AWAKE = {"kind": "consciousness", "level": "alert"}


def at_hours(document: Json, key: str, number: float) -> tuple[int, int, set[str]]:
    answer = graded(document, hours(number))
    period = period_at(answer, key, datetime.fromisoformat(hours(number)))
    assert period is not None
    return period["grade"], period["at_most"], {one["code"] for one in period["unknown"]}


def scales_at(document: Json, number: float, scales: tuple[Scale, ...] = SCALES) -> CourseScales:
    answer = grade_course(
        read_course(document), datetime.fromisoformat(hours(number)), scales=scales
    )
    assert answer.scales is not None
    return answer.scales


@pytest.mark.parametrize("agent", ["antibiotics", "other"])
def test_a_treatment_that_lowers_no_fever_waives_none(agent: str) -> None:
    given = {"kind": "treatment", "agent": agent}
    document = course(FEVER, given, NORMAL, {**PRESSOR, "at": 2})
    assert at_hours(document, ASTCT, LATER) == (0, 3, {"astct.fever"})
    assert at_hours(course(FEVER, ANTIPYRETIC, NORMAL, PRESSOR), ASTCT, LATER)[:2] == (3, 3)


def test_a_second_treatment_keeps_the_first_as_what_waived_the_fever() -> None:
    first, second = ({**ANTIPYRETIC, "id": name, "at": at} for name, at in (("a", 1), ("b", 3)))
    steroid = {"kind": "treatment", "agent": "dexamethasone", "id": "c", "at": 2}
    for others in ((first, second), (first, steroid), (steroid, second), (steroid,)):
        answer = graded(course(FEVER, NORMAL, LOW, *others), hours(LATER))
        earliest = min(others, key=lambda one: one["at"])
        assert answer["scales"][ASTCT]["waived_by"] == earliest["id"]


def test_an_antipyretic_masks_no_fever_where_it_waives_none() -> None:
    charted = ({**NORMAL, "at": 0.5}, {**ANTIPYRETIC, "at": 0.5}, LOW)
    assert at_hours(course(*charted), ASTCT, 2) == (0, 2, {"astct.fever"})
    policy = {"astct_fever_waived_by": "anticytokine_only"}
    assert at_hours(course(*charted, policy=policy), ASTCT, 2) == (0, 0, set())


@pytest.mark.parametrize(
    ("before", "policy", "why"),
    [
        ((), {}, "no temperature charted"),
        ((NORMAL,), {}, "no fever charted, and none treated"),
        ((FEVER, NORMAL), {"astct_fever_hold_minutes": 720},
         "no fever in the last 12 h, and none treated before"),
        ((FEVER, NORMAL), {"astct_fever_hold_minutes": 0},
         "no fever now, and none treated before"),
    ],
)  # fmt: skip
def test_a_closed_gate_says_why_it_is_closed(before: Any, policy: Json, why: str) -> None:
    answer = graded(course(*before, {**LOW, "at": 3}, policy=policy), hours(LATER))
    row = next(one for one in answer["differ"] if one["lower"] == ASTCT)
    assert (
        f"ASTCT 0: {why}. Withheld: low pressure without vasopressor (would be 2)." in row["text"]
    )


@pytest.mark.parametrize("order", [(AWAKE, SEIZURE), (SEIZURE, AWAKE)])
def test_an_assessment_at_the_instant_of_a_seizure_follows_it_up(order: Any) -> None:
    assert at_hours(course(*order), ICANS, LATER) == (0, 0, set())
    before = course({**AWAKE, "at": 0.5}, SEIZURE)
    assert at_hours(before, ICANS, LATER) == (0, 4, {"icans.not_assessed"})


def test_the_first_seizure_that_nothing_followed_leaves_the_scale_open() -> None:
    """A second one does not put off the end of the first, nor does one of another cause."""
    document = course(SEIZURE, {**SEIZURE, "at": 20})
    assert at_hours(document, ICANS, LATER) == (3, 4, {"icans.not_assessed"})
    other = {**SEIZURE, "attribution": "other"}
    assert at_hours(course(other), ICANS, LATER) == (0, 0, set())


def test_a_seizure_that_is_still_counted_is_no_evidence_of_a_missing_assessment() -> None:
    confusion = {"kind": "toxicity", "term": "confusion", "grade": 2, "id": "c", "at": 2}
    document = course({**SEIZURE, "id": "s"}, confusion)
    for number, evidence in ((3, ("c",)), (LATER, ("c", "s"))):
        chart = chart_at(document, datetime.fromisoformat(hours(number)))
        unknown = ICANS_2019.unknowns(chart, ICANS_2019.assess(chart))
        assert [one.evidence for one in unknown if one.code == "icans.not_assessed"] == [evidence]


@pytest.mark.parametrize(
    ("second", "patterns"),
    [
        (VASOPRESSIN, set()),
        ({**PRESSOR, "drug": "epinephrine"}, {"W9"}),
        ({**PRESSOR, "rate": 25}, {"W1"}),
    ],
)
def test_two_vasopressors_are_a_pattern_where_the_scales_disagree(
    second: Json, patterns: set[str]
) -> None:
    """With vasopressin Lee, ASTCT and Penn all say 3."""
    found = scales_at(course(FEVER, PRESSOR, second), 1)
    assert {one.id for one in found.patterns} & {"W1", "W9"} == patterns


def test_two_scales_are_compared_with_one_another_where_both_are_asked_for() -> None:
    read = read_course(course(FEVER, SEIZURE))
    now = datetime.fromisoformat(hours(1))
    found = grade_scales(read.facts, read.entries, now, SCALES, compare=(ASTCT, ICANS))
    assert [(one.axis, one.higher.key) for one in found.compared] == [(Axis.NEURO, ICANS)]
    assert grade_scales(read.facts, read.entries, now, SCALES).compared == ()


def test_a_seizure_is_an_assessment_of_what_was_charted_before() -> None:
    confusion = {"kind": "toxicity", "term": "confusion", "grade": 2}
    assert at_hours(course(confusion, {**SEIZURE, "at": 2}), ICANS, 3) == (3, 3, set())


def test_a_hold_that_begins_at_the_infusion_ends_by_the_clock() -> None:
    answer = graded(course({**SEIZURE, "at": 0}), hours(0))["scales"][ICANS]
    assert [(one["from"][:13], one["grade"]) for one in answer["periods"]] == [
        *(("2024-03-01T00", 3), ("2024-03-02T00", 0)),
    ]


def test_a_copied_state_goes_its_own_way_and_a_saved_one_keeps_its_signs() -> None:
    sign = {"kind": "neuro_sign", "sign": "papilledema", "present": True}
    document = read_course(course(FEVER, ANTIPYRETIC, SEIZURE, sign))
    chart = chart_at(course(FEVER, ANTIPYRETIC, SEIZURE, sign), datetime.fromisoformat(hours(1)))
    copied = chart.state.copied().other_scales
    assert copied == chart.past
    assert copied is not None
    copied.signs.clear()
    assert copied.antipyretic is not None
    copied.note_treatment(copied.antipyretic)
    assert list(chart.past.signs) == ["papilledema"]
    assert chart.past.new_treatments == []
    entries = list(document.entries)
    point = checkpoint_at(document, entries, entries[0].at)
    now = datetime.fromisoformat(hours(LATER))
    resumed = grade_scales(document.facts, [], now, resume=point)
    assert resumed.of(ICANS).grade == 4


def test_nothing_after_a_death_is_graded() -> None:
    death = {"kind": "death", "at": 3, "due_to": ["crs"]}
    answer = graded(course(FEVER, death, {**PRESSOR, "at": 4}), hours(LATER))
    assert grade_at(answer, ASTCT, datetime.fromisoformat(hours(5))) == 5
    assert [one["grade"] for one in answer["scales"][ASTCT]["periods"]] == [0, 1, 5]
    assert [one["grade"] for one in answer["scales"][ICANS]["periods"]] == [0]


def test_an_ice_of_0_without_a_level_of_consciousness_names_the_ice_it_rests_on() -> None:
    chart = chart_at(
        course({"kind": "ice", "score": 0, "id": "i"}), datetime.fromisoformat(hours(1))
    )
    unknown = ICANS_2019.unknowns(chart, ICANS_2019.assess(chart))
    assert [one.evidence for one in unknown if one.code == "icans.consciousness"] == [("i",)]


@pytest.mark.parametrize(("score", "patterns"), [(10, set()), (9, {"W10"})])
def test_neurotoxicity_of_grade_1_is_a_pattern_where_lee_says_another_grade(
    score: int, patterns: set[str]
) -> None:
    found = scales_at(course(FEVER, PRESSOR, {"kind": "ice", "score": score}), 2)
    assert {one.id for one in found.patterns} & {"W10"} == patterns


@pytest.mark.parametrize("attribution", ["crs", "uncertain"])
def test_a_criterion_says_whether_its_attribution_is_uncertain(attribution: str) -> None:
    found = scales_at(course({"kind": "ice", "score": 7, "attribution": attribution}), 2)
    shown = found.of(ICANS).shown
    assert shown is not None
    assert [(one.code, one.uncertain) for one in shown.criteria] == [
        ("icans.ice", attribution == "uncertain")
    ]

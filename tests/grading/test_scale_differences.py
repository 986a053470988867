"""The sentence why a scale differs from Lee's, as the page and the command line show it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from grading.course_file import read_course
from grading.course_result import result_json
from grading.engine.differences import Assessed, between
from grading.engine.scale import Axis
from grading.engine.systems.lee_2014 import LEE_SCALE
from grading.scales import BY_KEY, SCALES, grade_scales
from tests.grading.scale_case_tables import (
    GLANCE_SCALES,
    read_comparisons,
    scale_course,
    scale_entries,
)
from tests.grading.test_cases import instant
from tests.grading.test_scale_corners import scales_at
from tests.grading.test_scale_list import (
    BOLUS,
    CONFUSION,
    FEVER,
    LOW,
    PRESSOR,
    Json,
    chart_at,
    course,
    hours,
)

BY_FINDING = {compared.finding: compared for compared in read_comparisons()}
LEE_BELOW_40 = "Lee 2: estimated FiO2 28 % by nasal cannula is below 40 %."
ANTIBIOTICS = {"kind": "treatment", "agent": "antibiotics"}
CANNULA = {"kind": "oxygen", "device": "nasal_cannula", "flow_l_per_min": 2}
NO_FEVER = "ASTCT 0: no fever charted, and none treated."


@pytest.mark.parametrize(
    ("finding", "texts"),
    [
        ("one vasopressor, low dose", [
            "ASTCT 3: one vasopressor counts at any dose (norepinephrine 5 mcg/min). "
            "Lee 2: one vasopressor, not at Table 3's dose for 3 h."]),
        ("toxicity of the liver alone", [
            "Lee 3: ALT CTCAE 3. ASTCT 1: does not grade organ toxicity."]),
        ("the same, Penn", ["Lee 3: ALT CTCAE 3. Penn 2: ALT CTCAE 3 is grade 2 in Penn."]),
        ("any oxygen below 40 %", [f"Penn 3: any oxygen is grade 3 in Penn. {LEE_BELOW_40}"]),
        ("in hospital and treated", [
            "Penn 2: in hospital because of CRS. Lee 1: does not grade the place of care.",
            "Penn 2: antibiotics given 2 Jan 10:00. Lee 1: does not grade the place of care."]),
        ("neurotoxicity", [
            "Lee 3: confusion CTCAE 3 counts. "
            "CARTOX 1: neurotoxicity is graded apart (ICANS 0, could be 4)."]),
        ("neurotoxicity and kidney, both CTCAE 3", [
            "Lee 3: acute kidney injury CTCAE 3, confusion CTCAE 3. "
            "ASTCT 1: does not grade organ toxicity."]),
        ("judged life-threatening", [
            "Lee 4: judged immediately life-threatening, 2 Jan 10:00. "
            "ASTCT 1: has no such judgement."]),
        ("oxygen", [
            f"Lee 2: estimated FiO2 28 % by nasal cannula is below 40 %. {NO_FEVER} "
            "Withheld: 2 L/min by nasal cannula is low flow: 6 L/min is the line (would be 2)."]),
    ],
)  # fmt: skip
def test_the_sentence_of_a_worked_difference(finding: str, texts: list[str]) -> None:
    """Rules of scales, section 12: the words of both criteria, or why the lower is silent."""
    compared = BY_FINDING[finding]
    answer = result_json(json.dumps(compared.document), compared.at, scales=(compared.against,))
    assert [row["text"] for row in answer["differ"]] == texts


def differ_of(charted: str, then: str, against: str, given: str = "age 45 y; weight 70 kg") -> Any:
    """Why a scale differs from Lee's at 11:00, with what was charted at 10:00 and at 11:00."""
    entries = [*scale_entries(charted, instant("10:00")), *scale_entries(then, instant("11:00"))]
    document = scale_course(f"{given}; baseline 126/74") | {"entries": entries}
    scales = (GLANCE_SCALES[against],)
    return result_json(json.dumps(document), instant("11:00"), scales=scales)["differ"]


AIRWAY = "the device protects the airway, which is no hypoxia."


@pytest.mark.parametrize(
    ("charted", "then", "against", "texts"),
    [
        # CPAP for the airway alone is no hypoxia for ASTCT, Lee asks for the device; of other axes
        # the airway is not spoken.
        ("temp 38.6; ALT 201 U/L (upper 40)", "CPAP FiO2 21 (to protect the airway)", "ASTCT",
         [f"Lee 3: CPAP is support without a tube. ASTCT 1: {AIRWAY}",
          "Lee 3: ALT CTCAE 3. ASTCT 1: does not grade organ toxicity."]),
        ("temp 36.8", "nasal cannula 2 L/min (to protect the airway)", "MSKCC",
         [f"{LEE_BELOW_40} MSKCC 0: {AIRWAY}"]),
        # CTCAE 4.03 grades organs, from CTCAE 3.
        ("temp 38.6", "ALT 130 U/L (upper 40)", "v4.03",
         ["Lee 2: ALT CTCAE 2. CTCAE 4.03 1: nothing charted that counts there."]),
        ("temp 38.6", "ALT 201 U/L (upper 40); AST 202 U/L (upper 40)", "Penn",
         ["Lee 3: ALT CTCAE 3, AST CTCAE 3. "
          "Penn 2: ALT CTCAE 3 is grade 2 in Penn, AST CTCAE 3 is grade 2 in Penn."]),
        # ICANS is known: its grade alone is named.
        ("temp 38.6", "toxicity confusion 3; ICE 8", "ASTCT",
         ["Lee 3: confusion CTCAE 3 counts. ASTCT 1: neurotoxicity is graded apart (ICANS 1)."]),
        # Of an axis but that of the nerves ICANS is not spoken, and ICANS names no ICANS.
        ("temp 38.6", "ICE 10", "ICANS",
         ["Lee 1: a temperature of 38.0 °C or more. ICANS 0: ICANS grades neurotoxicity alone."]),
        ("temp 36.8", "ICE 2", "ICANS",
         ["ICANS 3: neurotoxicity is graded by ICE, consciousness, seizure, weakness and pressure. "
          "Lee 0: no neurotoxicity with a CTCAE grade that counts."]),
        # What is withheld on an axis is named with that axis.
        ("temp 36.8", "nasal cannula 2 L/min; BP 84/50", "ASTCT",
         [f"{LEE_BELOW_40} {NO_FEVER} "
          "Withheld: 2 L/min by nasal cannula is low flow: 6 L/min is the line (would be 2).",
          f"Lee 2: low pressure without vasopressor. {NO_FEVER} "
          "Withheld: low pressure without vasopressor (would be 2)."]),
    ],
)  # fmt: skip
def test_the_sentence_where_a_scale_has_nothing_on_an_axis(
    charted: str, then: str, against: str, texts: list[str]
) -> None:
    assert [row["text"] for row in differ_of(charted, then, against)] == texts


@pytest.mark.parametrize(
    ("then", "code"),
    [
        ("consciousness tactile; ICE 8", "icans.consciousness"),
        ("consciousness tactile; seizure focal 2 min", "icans.seizure"),
    ],
)
def test_the_lower_scale_answers_with_its_highest_criterion_of_the_axis(
    then: str, code: str
) -> None:
    """Of equal grades with the last by its code (rules of scales, section 12)."""
    (row,) = differ_of("temp 38.6", f"toxicity confusion 4; {then}", "ICANS")
    assert (row["lower"], row["lower_code"], row["lower_grade"]) == ("icans-2019", code, 3)


def test_a_row_has_what_is_withheld_with_the_grade_it_would_have() -> None:
    (row,) = differ_of("temp 36.8", "nasal cannula 2 L/min", "ASTCT")
    assert row["withheld"] == [{"code": "astct.hypoxia.low_flow", "grade": 2}]
    assert (row["lower_code"], row["lower_grade"]) == (None, 0)


def test_all_that_is_withheld_on_an_axis_is_named() -> None:
    chart = chart_at(
        course({**LOW, "at": 0}, {"kind": "vitals", "temperature_c": 37}),
        datetime.fromisoformat(hours(2)),
    )
    astct = BY_KEY["astct-2019"]
    twice = replace(astct, rules=(*astct.rules, astct.rules[1]._replace(code="astct.x", grade=3)))
    found = between(chart, *(Assessed(scale, scale.assess(chart)) for scale in (LEE_SCALE, twice)))
    assert [one.text.partition("Withheld: ")[2] for one in found] == [
        "low pressure without vasopressor (would be 2), "
        "low pressure without vasopressor (would be 3)."
    ]


@pytest.mark.parametrize(
    ("term", "axis", "lower"),
    [
        ("alt", Axis.ORGAN, ("penn.organ_toxicity.grade_2", 2)),
        ("confusion", Axis.NEURO, (None, 0)),
    ],
)
def test_the_axis_of_cartox_organ_toxicity_is_that_of_its_terms(
    term: str, axis: Axis, lower: tuple[str | None, int]
) -> None:
    """CARTOX 3 by a toxicity of CTCAE 3, which is grade 2 or nothing in Penn."""
    toxicity = {"kind": "toxicity", "term": term, "grade": 3}
    read = read_course(course(toxicity, policy={"cartox_neuro_counts": True}))
    now, keys = datetime.fromisoformat(hours(2)), ("cartox-2018", "penn-2018")
    found = grade_scales(read.facts, read.entries, now, SCALES, compare=keys)
    assert [(one.axis, one.lower_code, one.lower_grade) for one in found.compared] == [
        (axis, *lower)
    ]


def test_the_highest_scale_is_explained_first() -> None:
    """CTCAE 4.03 is 4 and ASTCT 3, Lee is 2 and ICANS 0."""
    found = scales_at(course(FEVER, PRESSOR), 2).differ
    grades = [one.higher_grade for one in found]
    assert grades == sorted(grades, reverse=True)
    assert {grades[0], grades[-1]} == {4, 2}


@pytest.mark.parametrize(
    ("charted", "shown", "patterns"),
    [
        # Without ASTCT no pattern that asks for it; the others stay.
        ((FEVER, PRESSOR), ("penn-2018",), set()),
        ((LOW, BOLUS, {**BOLUS, "at": 1.5}), ("penn-2018",), set()),
        ((LOW, BOLUS, {**BOLUS, "at": 1.5}), ("astct-2019",), {"W8"}),
        ((LOW, BOLUS, {**BOLUS, "at": 1.5}), ("astct-2019", "penn-2018"), {"W7", "W8"}),
        # W6 by therapy alone, and not where Penn is 3.
        ((FEVER, ANTIBIOTICS), ("penn-2018",), {"W6"}),
        ((FEVER, ANTIBIOTICS, CANNULA), ("penn-2018",), {"W3"}),
        # Oxygen to protect the airway is none of Penn's; Penn is higher by the vasopressor.
        ((FEVER, PRESSOR, {**CANNULA, "purpose": "airway_protection"}), ("penn-2018",), set()),
        # CPAP without an FiO2 is no oxygen below 40 %.
        ((FEVER, {"kind": "oxygen", "device": "cpap"}), ("penn-2018",), set()),
        # W10 where Lee is above CARTOX, not where they agree.
        ((FEVER, CONFUSION), ("cartox-2018",), {"W10"}),
        ((FEVER, CONFUSION, LOW), ("cartox-2018",), set()),
    ],
)
def test_a_pattern_asks_for_the_scales_that_it_compares(
    charted: tuple[Json, ...], shown: tuple[str, ...], patterns: set[str]
) -> None:
    found = scales_at(course(*charted), 2, tuple(BY_KEY[key] for key in shown))
    assert {one.id for one in found.patterns} == patterns

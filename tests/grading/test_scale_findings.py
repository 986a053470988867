"""What a finding of another scale rests on, and in which order findings stand."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from grading.course_file import read_course
from grading.engine.chart import Chart
from grading.engine.evidence import Citation
from grading.engine.periods import Criterion, Explained
from grading.engine.scale import Assessment, Axis, Doubt, Finding, Met, Rule, Scale
from grading.engine.scale_findings import result_doubts
from grading.engine.systems.lee_2014 import LEE_SCALE
from grading.scales import BY_KEY, SCALES, scales_from_now
from tests.grading.scale_answers import graded
from tests.grading.test_scale_corners import scales_at
from tests.grading.test_scale_list import (
    ANTIPYRETIC,
    FEVER,
    LOW,
    NORMAL,
    PRESSOR,
    Json,
    chart_at,
    course,
    hours,
)

STEROID = {"kind": "treatment", "agent": "dexamethasone"}
STOPPED = {**PRESSOR, "rate": 0}
CANNULA = {"kind": "oxygen", "device": "nasal_cannula", "flow_l_per_min": 2}


def ided(name: str, entry: Json, **fields: Any) -> Json:
    return {**entry, "id": name, **fields}


FINDINGS: list[tuple[str, tuple[Json, ...], float, str, str, tuple[str, ...], Json]] = [
    # ASTCT's gate: why a fever is not known, and the entry that leaves it open (section 4).
    ("astct-2019", (ided("p", LOW),), 2, "unknown", "astct.fever", (), {"why": "never"}),
    (
        *("astct-2019", (ided("f", FEVER), NORMAL, {**LOW, "at": 3}), 26),
        *("unknown", "astct.fever", ("f",), {"why": "past"}),
    ),
    (
        "astct-2019",
        (NORMAL, ided("a", ANTIPYRETIC, at=2), ided("s", STEROID, at=3), {**LOW, "at": 4}),
        *(5, "unknown", "astct.fever", ("a",), {"why": "masked", "agent": "antipyretic"}),
    ),
    (
        "astct-2019",
        (NORMAL, ided("a", ANTIPYRETIC, at=3), ided("s", STEROID, at=2), {**LOW, "at": 4}),
        *(5, "unknown", "astct.fever", ("s",), {"why": "masked", "agent": "dexamethasone"}),
    ),
    # MSKCC: the infusions that run, or where none does, those that ran (section 8).
    (
        *("mskcc-2018", (ided("v", PRESSOR),), 3, "criteria", "mskcc.vasopressor.under_24h"),
        *(("v",), {"credited_minutes": "120"}),
    ),
    (
        "mskcc-2018",
        (ided("v", PRESSOR), ided("stop", STOPPED, at=26)),
        *(26.1, "criteria", "mskcc.vasopressor.from_24h", ("v",), {"credited_minutes": "1500"}),
    ),
    # CTCAE v4.03: whether a reaction was prolonged rests on no entry until it is judged (9.1).
    ("ctcae-4.03", (FEVER,), 2, "unknown", "ctcae4.prolonged", (), {"judged": False}),
    (
        *("icans-2019", (ided("i", {"kind": "ice", "score": 0}),), 2),
        *("unknown", "icans.consciousness", ("i",), {}),
    ),
]


@pytest.mark.parametrize(("key", "charted", "at", "part", "code", "evidence", "params"), FINDINGS)
def test_a_finding_names_the_entries_that_it_rests_on(
    key: str,
    charted: tuple[Json, ...],
    at: float,
    part: str,
    code: str,
    evidence: tuple[str, ...],
    params: Json,
) -> None:
    shown = scales_at(course(*charted), at).of(key).shown
    assert shown is not None
    one = next(one for one in getattr(shown, part) if one.code == code)
    assert one.evidence == evidence
    assert params.items() <= one.params.items()


def test_support_that_has_just_stopped_is_shown_without_infusions() -> None:
    """24 h are its line, and a run closes 15 minutes after its end (rules of scales, section 8)."""
    shown = scales_at(course(PRESSOR, {**STOPPED, "at": 26}), 26.1).of("mskcc-2018").shown
    assert shown is not None
    assert [one.explanation for one in shown.criteria] == ["No vasopressor now; support for 25 h"]


@pytest.mark.parametrize("attribution", ["crs", "uncertain"])
def test_support_says_whether_its_attribution_is_uncertain(attribution: str) -> None:
    shown = scales_at(course({**PRESSOR, "attribution": attribution}), 2).of("mskcc-2018").shown
    assert shown is not None
    assert [one.uncertain for one in shown.criteria] == [attribution == "uncertain"]


def test_a_fever_is_waived_by_a_treatment_with_its_time() -> None:
    document = course(FEVER, ided("a", ANTIPYRETIC, at=1.5), NORMAL, {**PRESSOR, "at": 3})
    waived = scales_at(document, 26).of("astct-2019").waived_by
    assert waived is not None
    assert waived.evidence == ("a",)
    assert waived.params == {"agent": "antipyretic", "at": "2024-03-01T01:30:00+00:00"}


def test_criteria_of_equal_grade_stand_in_the_order_of_the_table() -> None:
    """Also one that counts beside others alone: Penn's grade 2 in hospital, before hypotension."""
    ward = {"kind": "admission", "setting": "ward", "because_of_crs": True}
    shown = scales_at(course(LOW, ward), 2).of("penn-2018").shown
    assert shown is not None
    assert [one.code for one in shown.criteria] == ["penn.hospitalised", "penn.hypotension"]


def test_unknowns_stand_by_what_they_could_reach() -> None:
    unknown_dose = {"kind": "vasopressor", "drug": "norepinephrine", "rate": None}
    document = course(FEVER, {"kind": "vitals", "systolic_mmhg": 100}, unknown_dose, baseline={})
    shown = scales_at(document, 2).of("penn-2018").shown
    assert shown is not None
    reaches = [(one.code, one.could_reach) for one in shown.unknown]
    assert reaches == [
        ("penn.vasopressor.dose", 4),
        ("hypotension.no_baseline", 2),
        ("penn.hospitalised", 2),
    ]


def test_a_death_is_a_criterion_with_the_source_of_its_scale() -> None:
    document = course(FEVER, ided("d", {"kind": "death", "due_to": ["crs"]}, at=2))
    chart = chart_at(document, datetime.fromisoformat(hours(2)))
    scale = BY_KEY["astct-2019"]
    (death,) = scale.criteria(chart, scale.assess(chart).met)
    citation = Citation("astct-2019", "Table 2, grade 5")
    assert death == Criterion("death", 5, citation, ("d",), "Death due to CRS")
    assert death.uncertain is False
    assert death.params == {"due_to": ["crs"]}


@pytest.mark.parametrize(("attribution", "grade"), [("crs", 5), ("uncertain", 5), ("other", None)])
def test_of_a_death_lees_table_asks_its_attribution_alone(
    attribution: str, grade: int | None
) -> None:
    death = {"kind": "death", "at": 2, "due_to": ["icans"], "attribution": attribution}
    chart = chart_at(course(FEVER, death), datetime.fromisoformat(hours(2)))
    assert LEE_SCALE.assess(chart).grade == grade
    assert BY_KEY["astct-2019"].assess(chart).grade is None


def test_ticks_of_the_nerves_are_evidence_where_the_policy_counts_them() -> None:
    document = course(
        ided("c", {"kind": "symptom", "term": "confusion", "present": True}),
        policy={"penn_neuro_counts": True},
    )
    shown = scales_at(document, 2).of("penn-2018").shown
    assert shown is not None
    assert [(one.code, one.evidence) for one in shown.unknown] == [
        ("organ_toxicity.ungraded", ("c",))
    ]


# Periods


def test_a_fever_that_is_charted_as_the_one_before_runs_out_leaves_no_gap() -> None:
    document = course({**FEVER, "at": 0}, {**PRESSOR, "at": 0}, {**NORMAL, "at": 2})
    again = {**FEVER, "at": hours(24)}
    document["entries"].append(again)
    periods = graded(document, hours(25))["scales"]["astct-2019"]["periods"]
    assert [(one["from"][:13], one["grade"]) for one in periods if not one["projected"]] == [
        *(("2024-03-01T00", 3), ("2024-03-01T02", 3), ("2024-03-02T00", 3)),
    ]


def test_what_was_charted_before_the_infusion_opens_no_period_before_it() -> None:
    """Neither a hold nor a policy that begins and ends before it is an event of a scale."""
    later = [{"from": "2024-02-28T00:00:00Z", "policy": {"penn_single_bolus_grade": 1}}]
    document = course({**FEVER, "at": 6}, later_policies=later)
    seizure = {"kind": "seizure", "seizure_type": "focal", "duration_minutes": 2}
    for day, entry in ((27, seizure), (29, {"kind": "ice", "score": 10})):
        document["entries"].append({**entry, "at": f"2024-02-{day}T10:00:00Z"})
    answer = graded(document, hours(7))
    assert {one["periods"][0]["from"] for one in answer["scales"].values()} == {
        "2024-03-01T00:00:00+00:00"
    }


def test_a_policy_of_later_leaves_the_first_instant_as_it_is() -> None:
    later = [{"from": hours(3), "policy": {"penn_single_bolus_grade": 1}}]
    answer = graded(course({**LOW, "at": 0}, later_policies=later), hours(4))
    periods = answer["scales"]["penn-2018"]["periods"]
    assert [(one["from"][11:13], one["grade"]) for one in periods] == [("00", 2), ("03", 1)]


def test_an_admission_before_the_infusion_holds_after_it() -> None:
    document = course(FEVER)
    ward = {"kind": "admission", "setting": "ward", "because_of_crs": True}
    document["entries"].append({**ward, "at": "2024-02-29T10:00:00Z"})
    shown = scales_at(document, 2).of("penn-2018").shown
    assert shown is not None
    assert [one.code for one in shown.criteria] == ["penn.hospitalised", "penn.fever"]


def test_before_the_infusion_no_scale_says_anything_from_now() -> None:
    read = read_course(course(FEVER))
    early = datetime.fromisoformat("2024-02-29T10:00:00+00:00")
    answers = scales_from_now(read.facts, read.entries, early, SCALES)
    assert [(one.scale, one.grade, one.periods, one.projected) for one in answers] == [
        (scale, None, (), ()) for scale in SCALES
    ]


# A scale that is made here, of rules as no published one has them


def shown_nowhere(_chart: Chart) -> Finding:
    return Finding("fever", Explained((), {}))


def rule(code: str, grade: Any, *, met: bool = True, beside_others: bool = False) -> Rule:
    return Rule(
        *(code, Axis.FEVER, grade, lambda _chart: met, shown_nowhere),
        *(Citation("decision", "a test"), "a phrase", beside_others),
    )


def made(*rules: Rule, doubts: tuple[Doubt, ...] = ()) -> Scale:
    return Scale(
        *("made", "Made", "Made", ("decision",), rules, {}),
        doubts=doubts,
    )


PLAIN = chart_at(course(), datetime.fromisoformat(hours(1)))


@pytest.mark.parametrize(
    ("rules", "grade", "met"),
    [
        # What is met at grade 0 is no criterion, and brings in none that waits for others.
        ((rule("a", 0), rule("b", 2, beside_others=True)), 0, ()),
        ((rule("a", 1), rule("b", 2, beside_others=True)), 2, (("a", 1), ("b", 2))),
        ((rule("a", 1), rule("b", 2, met=False, beside_others=True)), 1, (("a", 1),)),
        ((rule("a", 1, met=False), rule("b", 2, beside_others=True)), 0, ()),
        # A grade of the policy, and one that the chart decides, for both kinds of criteria.
        ((rule("a", "mskcc_fluids_grade"), rule("b", 2, beside_others=True)), 2,
         (("a", 1), ("b", 2))),
        ((rule("a", 1), rule("b", "penn_ctcae_4_grade", beside_others=True)), 4,
         (("a", 1), ("b", 4))),
        ((rule("a", lambda chart: 3 if chart is PLAIN else 0),), 3, (("a", 3),)),
    ],
)  # fmt: skip
def test_a_criterion_counts_from_grade_1_and_brings_in_those_that_wait(
    rules: tuple[Rule, ...], grade: int, met: tuple[tuple[str, int], ...]
) -> None:
    assert made(*rules).assess(PLAIN) == Assessment(grade, grade, met)


@pytest.mark.parametrize(
    ("rules", "reach"),
    [
        # A doubt is asked with the grade so far, and whether anything is met.
        ((), 1),
        ((rule("a", 2),), 13),
        # Its answer may be the criterion that others wait for.
        ((rule("b", 3, beside_others=True),), 3),
        ((rule("a", 1), rule("b", 4, beside_others=True)), 15),
    ],
)
def test_a_doubt_reaches_what_it_says_or_what_waits_for_its_answer(
    rules: tuple[Rule, ...], reach: int
) -> None:
    doubt = Doubt("d", lambda _chart, met: met.grade + 1 + 10 * met.others, shown_nowhere)
    assert made(*rules, doubts=(doubt,)).assess(PLAIN).unknown == (("d", reach),)


def test_a_doubt_that_reaches_nothing_is_none() -> None:
    doubt = Doubt("d", lambda _chart, _met: 0, shown_nowhere)
    assert made(rule("b", 3, beside_others=True), doubts=(doubt,)).assess(PLAIN).unknown == ()
    assert replace(made(rule("a", 1)), doubts=(doubt,)).assess(PLAIN).unknown == ()


def test_a_doubt_about_a_result_is_graded_by_the_chart_that_it_is_of() -> None:
    """At least CTCAE 3 and at most 4: a scale may grade both by the policy."""
    chart = chart_at(
        course({"kind": "lab", "analyte": "alt", "value": 201, "comparator": ">", "unit": "U/L",
                "upper_limit": 40}, policy={"mskcc_fluids_grade": 2}),
        datetime.fromisoformat(hours(2)),
    )  # fmt: skip
    doubts = result_doubts(lambda seen, _result, ctcae: seen.policy.mskcc_fluids_grade * ctcae)
    assert [(one.code, one.reach(chart, Met(0, others=False))) for one in doubts(chart)] == [
        ("lab.alt", 8)
    ]

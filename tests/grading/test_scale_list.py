"""The list of other scales: each is complete, and each of its findings has its sentence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import product
from typing import Any

import pytest

from grading.course_file import read_course
from grading.engine.chart import Chart
from grading.engine.entries import BaselineFacts, in_force
from grading.engine.evidence import SOURCES, Citation
from grading.engine.fold import fold, in_order
from grading.engine.policy import PARAMETERS, SCALE_PARAMETERS
from grading.engine.scale import Axis, Scale
from grading.engine.state import CourseState
from grading.engine.systems.lee_2014 import LEE_2014, LEE_SCALE
from grading.scales import SCALES, scales_named
from tests.grading.scale_answers import KEYS, graded, what_holds
from tests.grading.scale_case_tables import ALL_SCALE_CASES, documents, read_glance
from tests.grading.test_sentences import DECIMAL, leaves

LISTED = [
    "astct-2019",
    "icans-2019",
    "penn-2018",
    "cartox-2018",
    "mskcc-2018",
    "ctcae-4.03",
    "ctcae-5.0",
    "ctcae-6.0",
]
PREFIX = {key: key.partition("-")[0] for key in LISTED} | {
    "ctcae-4.03": "ctcae4",
    "ctcae-5.0": "ctcae5",
    "ctcae-6.0": "ctcae6",
}
SHARED_UNKNOWNS = {
    *("hypotension.relative", "hypotension.no_baseline", "hypotension.no_systolic"),
    *("oxygen.fio2", "oxygen.fio2_estimated", "oxygen.flow", "vasopressor.dose"),
    *("organ_toxicity.ungraded", "life_threatening"),
}
Json = dict[str, Any]

every_scale = pytest.mark.parametrize("scale", SCALES, ids=lambda scale: scale.key)


def test_the_scales_are_listed_in_the_order_of_display() -> None:
    assert [scale.key for scale in SCALES] == LISTED
    assert scales_named("all") == SCALES
    assert [one.key for one in scales_named(["penn-2018", "astct-2019"])] == [
        "astct-2019",
        "penn-2018",
    ]


def test_each_scale_has_a_title_and_a_short_name() -> None:
    assert [f"{scale.title}: {scale.short}" for scale in SCALES] == [
        *("ASTCT 2019: ASTCT", "ICANS 2019: ICANS", "Penn 2018: Penn", "CARTOX 2018: CARTOX"),
        *("MSKCC 2018: MSKCC", "CTCAE 4.03: CTCAE 4.03", "CTCAE 5.0: CTCAE 5.0"),
        "CTCAE 6.0: CTCAE 6.0",
    ]
    assert {scale.key for scale in SCALES if scale.unverified} == {
        *("astct-2019", "penn-2018", "cartox-2018", "mskcc-2018", "ctcae-4.03", "ctcae-6.0"),
    }


@every_scale
def test_every_code_has_one_rule_and_carries_the_name_of_its_scale(scale: Scale) -> None:
    codes = [rule.code for rule in scale.rules]
    assert len(set(codes)) == len(codes)
    own = set(codes) - {"life_threatening"}
    assert all(code.startswith(f"{PREFIX[scale.key]}.") for code in own)
    unknown = {doubt.code for doubt in scale.doubts}
    allowed = SHARED_UNKNOWNS | (
        {"hypotension.refractory"} if scale.key == "cartox-2018" else set()
    )
    assert all(code.startswith(f"{PREFIX[scale.key]}.") for code in unknown - allowed)
    assert len(unknown) == len(scale.doubts)


def test_codes_of_one_scale_are_no_codes_of_another() -> None:
    owners = defaultdict(set)
    for scale in (LEE_SCALE, *SCALES):
        for rule in scale.rules:
            owners[rule.code].add(scale.key)
    assert {code for code, keys in owners.items() if len(keys) > 1} == {"life_threatening"}


@pytest.mark.parametrize("scale", [LEE_SCALE, *SCALES], ids=lambda scale: scale.key)
def test_every_axis_is_spoken_or_silent(scale: Scale) -> None:
    spoken = {rule.axis if isinstance(rule.axis, Axis) else Axis.ORGAN for rule in scale.rules}
    assert spoken | scale.silence.keys() | {Axis.DEATH} == set(Axis)
    assert not spoken & scale.silence.keys()
    assert all(text and text[-1] != "." for text in scale.silence.values())


SILENT: dict[Axis, tuple[str, str]] = {
    Axis.CONSTITUTIONAL: (
        "symptoms without fever do not count", "astct-2019 cartox-2018 ctcae-5.0 ctcae-6.0"),
    Axis.ORGAN: (
        "does not grade organ toxicity", "astct-2019 mskcc-2018 ctcae-5.0 ctcae-6.0"),
    Axis.NEURO: (
        "neurotoxicity is graded apart",
        "astct-2019 penn-2018 cartox-2018 mskcc-2018 ctcae-4.03 ctcae-5.0 ctcae-6.0"),
    Axis.SETTING: (
        "does not grade the place of care",
        "astct-2019 cartox-2018 mskcc-2018 ctcae-5.0 ctcae-6.0"),
    Axis.JUDGEMENT: ("has no such judgement", "astct-2019"),
}  # fmt: skip


@pytest.mark.parametrize("axis", SILENT)
def test_a_scale_says_why_it_is_silent(axis: Axis) -> None:
    text, keys = SILENT[axis]
    silent = {scale.key: scale.silence[axis] for scale in SCALES if axis in scale.silence}
    wanted = dict.fromkeys(keys.split(), text)
    if axis is not Axis.NEURO:
        wanted["icans-2019"] = "ICANS grades neurotoxicity alone"
    assert silent == wanted


@every_scale
def test_every_source_is_known(scale: Scale) -> None:
    citations = [*(rule.citation for rule in scale.rules), scale.death_citation]
    assert {*scale.sources, *(citation.source for citation in citations)} <= SOURCES.keys()
    assert {c.source for c in citations} - {"decision"} <= set(scale.sources)
    assert all(citation.place for citation in citations)


@every_scale
def test_a_citation_names_the_grade_that_it_is_for(scale: Scale) -> None:
    """Those of ICANS name the domain, and a decision what it decides."""
    for rule in scale.rules:
        if isinstance(rule.grade, int) and rule.citation.source != "decision":
            named = rule.citation.place.rpartition("grade ")[2]
            assert named == str(rule.grade) or scale.key == "icans-2019"


def test_every_parameter_of_a_scale_is_one_of_the_policy_and_is_used() -> None:
    used = [name for scale in SCALES for name in scale.parameters]
    assert set(used) == SCALE_PARAMETERS <= PARAMETERS.keys()
    assert all(len(set(scale.parameters)) == len(scale.parameters) for scale in SCALES)


def hours(number: float) -> str:
    return (
        f"2024-03-{1 + int(number // 24):02}T{int(number % 24):02}:{int(number * 60 % 60):02}:00Z"
    )


def course(*entries: Json, **other: Any) -> Json:
    """A course of an adult; an entry's ``at`` is hours after the infusion."""
    return {
        "format": "crs-course/2",
        "patient": {"age_years": 54},
        "therapy": {"infused_at": hours(0)},
        "weight_kg": 70,
        "baseline": {"systolic_mmhg": 126},
        "entries": [{**entry, "at": hours(entry.get("at", 1))} for entry in entries],
        **other,
    }


FEVER = {"kind": "vitals", "temperature_c": "38.5"}
NORMAL = {"kind": "vitals", "temperature_c": "36.8", "at": 2}
LOW = {"kind": "vitals", "systolic_mmhg": 80}
BOLUS = {"kind": "fluid_bolus", "volume_ml": 500}
CPAP = {"kind": "oxygen", "device": "cpap"}
BIPAP = {"kind": "oxygen", "device": "bipap"}
CONFUSION = {"kind": "toxicity", "term": "confusion", "grade": 2}
PRESSOR = {"kind": "vasopressor", "drug": "norepinephrine", "rate": 5, "unit": "ug/min"}
VASOPRESSIN = {"kind": "vasopressor", "drug": "vasopressin", "rate": "0.03", "unit": "units/min"}
ANTIPYRETIC = {"kind": "treatment", "agent": "antipyretic"}
HIGH_FLOW = {"kind": "oxygen", "device": "high_flow_nasal_cannula", "flow_l_per_min": 6}
SEIZURE = {"kind": "seizure", "seizure_type": "focal", "duration_minutes": 2}
CAPD = {"kind": "capd", "score": 8}
PLASMA = {"kind": "blood_product", "product": "fresh_frozen_plasma"}
CHILD = {"patient": {"age_years": 7}}

READ_WHEN: dict[str, tuple[Any, Json]] = {
    "astct_fever_hold_minutes": (0, course(FEVER, NORMAL, PRESSOR)),
    "astct_fever_waived_by": ("anticytokine_only", course(FEVER, ANTIPYRETIC, NORMAL, PRESSOR)),
    "astct_vasopressin_alone_grade": (2, course(FEVER, VASOPRESSIN)),
    "astct_high_flow_by": ("device", course(FEVER, HIGH_FLOW)),
    "icans_seizure_hold_minutes": (720, course(SEIZURE)),
    "icans_capd_1_to_8_grade": (0, course(CAPD, **CHILD)),
    "icans_capd_below_years": (7, course(CAPD, **CHILD)),
    "penn_neuro_counts": (True, course(CONFUSION)),
    "penn_ctcae_4_grade": (3, course({**CONFUSION, "term": "heart_failure", "grade": 4})),
    "penn_single_bolus_grade": (1, course(LOW)),
    "penn_multiple_bolus_minutes": (59, course(LOW, BOLUS, {**BOLUS, "at": 2})),
    "penn_iv_therapy_hold_minutes": (720, course(FEVER, {**ANTIPYRETIC, "agent": "antibiotics"})),
    "penn_product_hold_minutes": (720, course(PLASMA)),
    "cartox_neuro_counts": (True, course(CONFUSION)),
    "cartox_child_bipap_grade": (4, course(BIPAP, **CHILD)),
    "mskcc_fluids_grade": (2, course(LOW)),
    "mskcc_noninvasive_grade": (4, course(CPAP)),
    "ctcae_positive_pressure_grade": (3, course(CPAP)),
    "ctcae_4_symptomatic_hold_minutes": (720, course(FEVER, ANTIPYRETIC)),
    "ctcae_5_multiple_vasopressors_grade": (3, course(PRESSOR, VASOPRESSIN)),
}
"""Another value of each parameter, and a course of which the answer then is another one."""


def test_every_parameter_that_grades_has_a_course_that_shows_it() -> None:
    display_only = {name for name in SCALE_PARAMETERS if PARAMETERS[name].display_only}
    assert display_only == {"ice_due_minutes", "ice_due_reduced_minutes"}
    assert READ_WHEN.keys() == SCALE_PARAMETERS - display_only


@pytest.mark.parametrize(("name", "value", "document"), [(k, *v) for k, v in READ_WHEN.items()])
def test_a_parameter_changes_the_answer_of_the_scales_that_name_it_and_no_other(
    name: str, value: Any, document: Json
) -> None:
    before, after = graded(document), graded({**document, "policy": {name: value}})
    was, now = what_holds(before), what_holds(after)
    changed = {key for key in KEYS if was[key] != now[key]}
    assert changed == {scale.key for scale in SCALES if name in scale.parameters}
    assert after["periods"] == before["periods"]
    assert all(after["scales"][key]["parameters"][name] == value for key in changed)


# Sentences


def chart_at(document: Json, at: datetime) -> Chart:
    course = read_course(document)
    entries = in_force(course.entries)
    baselines = [e for e in entries if isinstance(e, BaselineFacts)]
    others = [e for e in in_order(entries) if e.at <= at and e not in baselines]
    baseline = course.facts.baseline.with_entries(baselines)
    state = CourseState.at_start(course.facts, baseline, LEE_2014)
    fold(state, others)
    if not state.is_over:
        state.advance(at, ())
    return Chart(state, at)


def worked_charts() -> Iterator[Chart]:
    """Every row of the worked cases; any scale can be asked of any of them."""
    for case in ALL_SCALE_CASES:
        for _, document, at, _ in documents(case):
            yield chart_at(document, at)
    for _, document, at, _ in read_glance():
        yield chart_at(document, at)


def test_every_code_has_its_sentence_and_its_phrase() -> None:
    met: dict[str, set[str]] = defaultdict(set)
    unknown: dict[str, set[str]] = defaultdict(set)
    params: list[Any] = []
    for scale, chart in product(SCALES, worked_charts()):
        key, assessed = scale.key, scale.assess(chart)
        for criterion in scale.criteria(chart, (*assessed.met, *assessed.withheld)):
            met[key].add(criterion.code)
            params.append(criterion.params)
            assert criterion.explanation
            assert criterion.explanation[-1] != "."
            if criterion.code != "death":
                assert scale.by_code[criterion.code].phrase_in(chart)
        for doubt in scale.unknowns(chart, assessed):
            unknown[key].add(doubt.code)
            params.append(doubt.params)
            assert doubt.why
            assert doubt.why[-1] != "."
    for scale in SCALES:
        assert met[scale.key] == {*scale.by_code, "death"}
        gate = {scale.gate.code} if scale.gate is not None else set()
        named = {code for code in unknown[scale.key] if not code.startswith("lab.")}
        assert named == {doubt.code for doubt in scale.doubts} | gate
    texts = [leaf for one in params for leaf in leaves(one) if isinstance(leaf, str)]
    assert all(DECIMAL.fullmatch(text) or " " not in text for text in texts)


def test_a_scale_with_two_rules_for_a_code_or_one_for_death_is_refused() -> None:
    scale = SCALES[0]
    refused = "^a scale has one rule for each code, and says of a death what causes$"
    with pytest.raises(ValueError, match=refused):
        replace(scale, rules=(*scale.rules, scale.rules[0]))
    with pytest.raises(ValueError, match=refused):
        replace(scale, rules=(scale.rules[0]._replace(code="death"),))
    assert str(Citation("ctcae-6.0", "grade 3")) == "CTCAE v6.0, grade 3"


# Lee's table as a scale, and guards that no course file reaches


def test_lees_table_as_a_scale_finds_what_lees_grade_shows() -> None:
    """Its findings are those of the grade itself, in the same words and the same order."""
    for chart in worked_charts():
        if chart.death is not None:
            continue
        assessed = LEE_SCALE.assess(chart)
        shown = chart.state.findings(chart.at).in_words
        assert LEE_SCALE.criteria(chart, assessed.met) == shown.criteria
        assert LEE_SCALE.unknowns(chart, assessed) == shown.unknown


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("icans.ice", "no ICE is charted"),
        ("icans.capd", "no CAPD is charted"),
        ("icans.ice.unable", "nothing was tried"),
        ("icans.consciousness", "no level of consciousness is charted"),
        ("icans.seizure", "no seizure is charted"),
        ("penn.iv_therapy", "no treatment is charted"),
        ("penn.coagulopathy", "no blood product is charted"),
        ("ctcae4.symptomatic_treatment", "no antipyretic is charted"),
    ],
)
def test_a_criterion_that_is_not_met_cannot_be_explained(code: str, message: str) -> None:
    chart = chart_at(course(), datetime.fromisoformat(hours(1)))
    rule = next(scale.by_code[code] for scale in SCALES if code in scale.by_code)
    with pytest.raises(ValueError, match=f"^{message}$"):
        rule.shown(chart)


def test_a_death_that_is_not_charted_cannot_be_explained() -> None:
    chart = chart_at(course(), datetime.fromisoformat(hours(1)))
    with pytest.raises(ValueError, match=r"^no death is charted$"):
        SCALES[0].criteria(chart, (("death", 5),))

"""Other scales resume at checkpoints, and follow policies that change during a course."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading.course_file import CourseDocument, read_course
from grading.engine.checkpoint import ResumePoint, restore_state, save_state
from grading.engine.entries import BaselineFacts, Entry, in_force
from grading.engine.facts import Baseline, PolicyFrom
from grading.engine.fold import fold, in_order
from grading.engine.policy import policy_from
from grading.engine.scale import ScalePeriod
from grading.engine.state import CourseState
from grading.engine.systems.lee_2014 import LEE_2014
from grading.scales import SCALES, CourseScales, grade_scales, holds_other_scales, scales_from_now
from grading.service import regrade
from tests.grading.random_courses import CIRCULATION_POLICIES, Raw, instants
from tests.grading.random_scale_courses import SCALE_POLICIES
from tests.grading.scale_answers import findings, graded, scale_laws, with_ids
from tests.grading.strategies import scale_courses

OVERRIDES = ({}, *SCALE_POLICIES, *CIRCULATION_POLICIES)
LATER = tuple(policy for policy in SCALE_POLICIES if "penn_multiple_bolus_minutes" not in policy)
"""Whether a bolus repeats another is found when it is given, so by the policy of that time."""


def baseline_of(document: CourseDocument, entries: Iterable[Entry]) -> Baseline:
    return document.facts.baseline.with_entries(e for e in entries if isinstance(e, BaselineFacts))


def upto(entries: Iterable[Entry], cut: datetime) -> list[Entry]:
    return [e for e in entries if e.at <= cut or isinstance(e, BaselineFacts)]


def after(entries: Iterable[Entry], cut: datetime) -> list[Entry]:
    return [e for e in entries if e.at > cut or isinstance(e, BaselineFacts)]


def checkpoint_at(document: CourseDocument, entries: list[Entry], cut: datetime) -> ResumePoint:
    """What is stored once all entries up to ``cut`` are charted."""
    state = CourseState.at_start(document.facts, baseline_of(document, entries), LEE_2014)
    fold(state, in_order(e for e in upto(entries, cut) if not isinstance(e, BaselineFacts)))
    saved = save_state(state)
    made = saved.to_resume_point()
    assert made.at == cut
    assert holds_other_scales(made) is saved.holds_other_scales
    return made


def a_cut(
    data: st.DataObject,
) -> tuple[CourseDocument, list[Entry], datetime, ResumePoint] | None:
    """A course whose policy may change, an instant of it, and the checkpoint there."""
    raw = data.draw(scale_courses())
    document = read_course(json.dumps(raw))
    policies = {
        datetime.fromisoformat(data.draw(st.sampled_from(instants(raw)))): policy_from(
            {**data.draw(st.sampled_from(OVERRIDES)), **data.draw(st.sampled_from(OVERRIDES))}
        )
        for _ in range(data.draw(st.sampled_from((0, 0, 1, 2))))
    }
    later = tuple(PolicyFrom(at, policies[at]) for at in sorted(policies))
    document = replace(document, facts=replace(document.facts, policies=later))
    entries = in_force(document.entries)
    begun = {
        e.at
        for e in entries
        if e.at >= document.facts.infused_at and not isinstance(e, BaselineFacts)
    }
    if not begun:
        return None
    cut = data.draw(st.sampled_from(sorted(begun)))
    return document, entries, cut, checkpoint_at(document, entries, cut)


def in_codes(period: ScalePeriod | None) -> Any:
    """A period without its words, which name durations as of its start."""
    if period is None:
        return None
    words = {
        "grade": period.grade,
        "at_most": period.at_most,
        "criteria": [one.as_json() for one in period.criteria],
        "unknown": [one.as_json() for one in period.unknown],
        "withheld": [one.as_json() for one in period.withheld],
    }
    return findings(words)


EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def without_start(period: ScalePeriod | None) -> Any:
    """A period with its words; where the scale is asked only now, it begins now."""
    return None if period is None else period._replace(start=EPOCH)


def periods_after(answer: Sequence[ScalePeriod], cut: datetime) -> list[ScalePeriod]:
    return [period for period in answer if period.start > cut]


@scale_laws
@given(st.data())
def test_resuming_at_any_checkpoint_gives_what_folding_from_the_start_gives(
    data: st.DataObject,
) -> None:
    found = a_cut(data)
    if found is None:
        return
    document, entries, cut, point = found
    later = data.draw(st.sampled_from([0, 30, 720, 1440, 4320]))
    now = max(cut, *(e.at for e in entries)) + timedelta(minutes=later)
    whole = grade_scales(document.facts, entries, now, SCALES)
    assert holds_other_scales(point)
    resumed = grade_scales(document.facts, after(entries, cut), now, SCALES, resume=point)
    assert resumed.lee == whole.lee
    assert resumed.differ == whole.differ
    assert resumed.patterns == whole.patterns
    for from_start, answer in zip(whole.answers, resumed.answers, strict=True):
        assert in_codes(answer.current) == in_codes(from_start.current)
        assert answer.projected == from_start.projected
        assert answer.waived_by == from_start.waived_by
        assert periods_after(answer.periods, cut) == periods_after(from_start.periods, cut)
        if answer.periods and answer.current is not None:
            assert answer.periods[0].start == point.at
    from_now = scales_from_now(document.facts, after(entries, cut), now, SCALES, resume=point)
    for with_past, answer in zip(resumed.answers, from_now, strict=True):
        assert without_start(answer.shown) == without_start(with_past.shown)
        assert (answer.grade, answer.at_most) == (with_past.grade, with_past.at_most)
        assert answer.projected == with_past.projected
        assert answer.waived_by == with_past.waived_by


@scale_laws
@given(st.data())
def test_a_checkpoint_that_is_restored_and_saved_is_the_same(data: st.DataObject) -> None:
    found = a_cut(data)
    if found is None:
        return
    document, entries, _, point = found
    state = restore_state(point, document.facts, baseline_of(document, entries), LEE_2014)
    assert json.loads(save_state(state).to_resume_point().state) == json.loads(point.state)


def without_other_scales(point: ResumePoint) -> ResumePoint:
    """The checkpoint as it was stored before other scales were graded."""
    words = json.loads(point.state)
    del words["other_scales"]
    return replace(point, state=json.dumps(words))


@scale_laws
@given(st.data())
def test_a_checkpoint_without_other_scales_stays_without_and_lees_grade_resumes_there(
    data: st.DataObject,
) -> None:
    found = a_cut(data)
    if found is None:
        return
    document, entries, cut, point = found
    old, rest = without_other_scales(point), after(entries, cut)
    assert regrade(document.facts, rest, resume=old) == regrade(document.facts, rest, resume=point)
    state = restore_state(old, document.facts, baseline_of(document, entries), LEE_2014)
    fold(state, in_order(e for e in rest if not isinstance(e, BaselineFacts)))
    saved = save_state(state).to_resume_point()
    assert not holds_other_scales(saved)
    with pytest.raises(ValueError, match="does not hold what other scales ask"):
        grade_scales(document.facts, rest, cut, resume=old)


@scale_laws
@given(st.data())
def test_a_later_policy_of_a_scale_gives_from_then_on_what_it_gives_from_the_start(
    data: st.DataObject,
) -> None:
    raw = with_ids({**data.draw(scale_courses()), "format": "crs-course/2"})
    shared = {k: v for k, v in raw.get("policy", {}).items() if not k.startswith("penn_multiple")}
    policy = {**shared, **data.draw(st.sampled_from(LATER))}
    begins = data.draw(st.sampled_from(instants(raw)))
    later = [{"from": begins, "policy": policy}]
    now = max(instants(raw), key=datetime.fromisoformat)
    changed = graded({**raw, "policy": shared, "later_policies": later}, now)
    always = graded({**raw, "policy": policy}, now)
    for key, scale in always["scales"].items():
        for instant in map(datetime.fromisoformat, instants(raw)):
            if instant >= datetime.fromisoformat(begins):
                assert at(changed["scales"][key], instant) == at(scale, instant), (key, instant)


def at(scale: Raw, instant: datetime) -> Any:
    begun = [
        one
        for one in scale["periods"]
        if datetime.fromisoformat(one["from"]) <= instant
        and (one["to"] is None or datetime.fromisoformat(one["to"]) > instant)
    ]
    return findings(begun[-1]) if begun else None


def course(*entries: Raw, **other: Any) -> Raw:
    return {
        "format": "crs-course/2",
        "patient": {"age_years": 54},
        "therapy": {"infused_at": "2024-03-01T00:00:00Z"},
        "weight_kg": 70,
        "baseline": {"systolic_mmhg": 126},
        "entries": [{"at": "2024-03-01T06:00:00Z", **entry} for entry in entries],
        **other,
    }


def test_two_boluses_are_several_by_the_policy_in_force() -> None:
    """With a longer time between boluses the last two become several, with a shorter no more."""
    low = {"kind": "vitals", "systolic_mmhg": 80}
    bolus = {"kind": "fluid_bolus", "volume_ml": 500}
    entries = [low, bolus, {**bolus, "at": "2024-03-01T08:00:00Z"}]

    def grades(first: int, then: int) -> list[tuple[str, int]]:
        later = [{"from": "2024-03-01T09:00:00Z", "policy": {"penn_multiple_bolus_minutes": then}}]
        policy = {"penn_multiple_bolus_minutes": first}
        answer = graded(course(*entries, policy=policy, later_policies=later))
        return [
            (one["from"][11:16], one["grade"]) for one in answer["scales"]["penn-2018"]["periods"]
        ]

    assert grades(120, 119) == [("00:00", 0), ("06:00", 2), ("08:00", 3), ("09:00", 2)]
    assert grades(119, 120) == [("00:00", 0), ("06:00", 2), ("09:00", 3), ("12:00", 2)]
    assert grades(119, 119) == [("00:00", 0), ("06:00", 2)]


def test_an_earlier_of_several_boluses_stays_one_where_the_policy_changes() -> None:
    times = ("06:00", "06:30", "09:30")
    entries = [
        {"at": f"2024-03-01T{time}:00Z", **entry}
        for time in times
        for entry in (
            {"kind": "vitals", "systolic_mmhg": 80},
            {"kind": "fluid_bolus", "volume_ml": 500},
        )
    ]
    later = [{"from": "2024-03-01T10:00:00Z", "policy": {"penn_multiple_bolus_minutes": 60}}]
    policy = {"penn_multiple_bolus_minutes": 61}
    whole = graded(course(*entries, policy=policy, later_policies=later))["scales"]["penn-2018"]
    assert [(p["from"][11:16], p["grade"]) for p in whole["periods"]] == [
        *(("00:00", 0), ("06:00", 2), ("06:30", 3), ("10:30", 2)),
    ]
    one = graded(course(*entries[:2], policy=policy, later_policies=later))["scales"]["penn-2018"]
    assert [period["grade"] for period in one["periods"]] == [0, 2]


def test_a_checkpoint_before_a_treatment_lets_the_treatment_waive_the_fever() -> None:
    fever = {"kind": "vitals", "temperature_c": "38.5"}
    given = {"kind": "treatment", "agent": "antipyretic", "at": "2024-03-01T06:30:00Z"}
    low = {"kind": "vitals", "systolic_mmhg": 80, "at": "2024-03-03T06:30:00Z"}
    normal = {"kind": "vitals", "temperature_c": "36.8", "at": "2024-03-01T07:00:00Z"}
    document = read_course(course(fever, given, normal, low))
    entries = in_force(document.entries)
    answers: list[CourseScales] = []
    for cut in sorted({entry.at for entry in entries})[:3]:
        point = checkpoint_at(document, entries, cut)
        now = entries[-1].at
        answers.append(grade_scales(document.facts, after(entries, cut), now, resume=point))
    waived = [answer.of("astct-2019").waived_by for answer in answers]
    assert [one and one.evidence for one in waived] == [(entries[1].id,)] * 3
    assert [answer.of("astct-2019").grade for answer in answers] == [2, 2, 2]


def test_a_checkpoint_keeps_symptoms_toxicities_and_when_the_nerves_were_assessed() -> None:
    """ICE 10 after a ticked confusion leaves nothing to assess; a rash stays without a grade."""
    ticked = [
        {"kind": "symptom", "term": term, "present": True}
        for term in ("fatigue", "rash", "confusion")
    ]
    ice = {"kind": "ice", "score": 10, "at": "2024-03-01T07:00:00Z"}
    diarrhea = {"kind": "toxicity", "term": "diarrhea", "grade": 1}
    document = read_course(course(*ticked, diarrhea, ice))
    entries = in_force(document.entries)
    point = checkpoint_at(document, entries, entries[-1].at)
    now = entries[-1].at + timedelta(hours=1)
    resumed = grade_scales(document.facts, [], now, SCALES, resume=point)
    icans, penn = resumed.of("icans-2019"), resumed.of("penn-2018")
    assert (icans.grade, icans.at_most) == (0, 0)
    assert (penn.grade, penn.at_most) == (1, 4)
    shown = penn.shown
    assert shown is not None
    assert [one.code for one in shown.criteria] == [
        *("penn.constitutional", "penn.organ_toxicity.grade_1"),
    ]
    assert [(one.code, one.evidence) for one in shown.unknown] == [
        ("organ_toxicity.ungraded", (entries[1].id,)),
        ("penn.hospitalised", ()),
    ]
    assert resumed.lee == grade_scales(document.facts, entries, now).lee


def test_what_other_scales_ask_after_a_checkpoint_without_them_leaves_lees_grade_as_it_is() -> None:
    given = {"kind": "treatment", "agent": "tocilizumab", "at": "2024-03-01T07:00:00Z"}
    ice = {"kind": "ice", "score": 3, "at": "2024-03-01T07:30:00Z"}
    document = read_course(course({"kind": "vitals", "temperature_c": "38.5"}, given, ice))
    entries = in_force(document.entries)
    cut = entries[0].at
    old = without_other_scales(checkpoint_at(document, entries, cut))
    resumed = regrade(document.facts, after(entries, cut), resume=old)
    assert resumed.periods == ()
    state = restore_state(old, document.facts, baseline_of(document, entries), LEE_2014)
    fold(state, in_order(after(entries, cut)))
    assert {"ice", "treatment.tocilizumab"} <= state.latest.keys()
    assert state.other_scales is None

"""A change of policy: graded forward from its instant, never backwards."""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grading.course_file import CourseDocument, read_course, read_entry
from grading.engine.checkpoint import ResumePoint, save_state
from grading.engine.entries import BaselineFacts, Entry, in_force
from grading.engine.facts import CourseFacts, PolicyFrom
from grading.engine.fold import fold, in_order
from grading.engine.periods import Period
from grading.engine.policy import Policy, policy_from
from grading.engine.state import CourseState
from grading.engine.systems.lee_2014 import LEE_2014
from grading.service import regrade, status_at
from tests.grading.random_courses import (
    CIRCULATION_POLICIES,
    LABORATORY_POLICIES,
    OXYGEN_POLICIES,
    Raw,
    instants,
)
from tests.grading.strategies import circulation_courses, courses, laboratory_courses

laws = settings(
    max_examples=int(os.environ.get("LAW_EXAMPLES", "150")),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
OVERRIDES = ({}, *CIRCULATION_POLICIES, *LABORATORY_POLICIES, *OXYGEN_POLICIES)
STRATEGIES = [courses(), circulation_courses(), laboratory_courses()]
NAMES = ["any", "circulation", "laboratory"]


def a_policy(data: st.DataObject) -> Policy:
    overrides = st.sampled_from(OVERRIDES)
    return policy_from({**data.draw(overrides), **data.draw(overrides)})


def an_instant(data: st.DataObject, document: Raw) -> datetime:
    return datetime.fromisoformat(data.draw(st.sampled_from(instants(document))))


def a_course(data: st.DataObject, strategy: st.SearchStrategy[Raw]) -> tuple[Raw, CourseDocument]:
    """A course whose policy changes up to three times, at instants that matter to it."""
    raw = data.draw(strategy)
    document = read_course(json.dumps(raw))
    changes = {an_instant(data, raw): a_policy(data) for _ in range(data.draw(st.integers(0, 3)))}
    later = tuple(PolicyFrom(at, changes[at]) for at in sorted(changes))
    return raw, replace(document, facts=replace(document.facts, policies=later))


def says(periods: Sequence[Period]) -> list[tuple[Any, ...]]:
    return [(p.start, p.end, p.grade, p.at_most, p.findings_json(), p.policy) for p in periods]


def before(periods: Sequence[Period], cut: datetime) -> list[tuple[Any, ...]]:
    """What the periods say of the time before ``cut``."""
    ended = [
        p._replace(end=None if p.end is None or p.end >= cut else p.end)
        for p in periods
        if p.start < cut
    ]
    return says(ended)


def what_holds(periods: Sequence[Period]) -> list[tuple[Any, ...]]:
    """Grade, bound and findings over time, whichever policy gave them."""
    merged: list[tuple[Any, ...]] = []
    for period in periods:
        codes = (
            frozenset(c.code for c in period.criteria),
            frozenset(u.code for u in period.unknown),
        )
        holds = (period.grade, period.at_most, *codes)
        if not merged or merged[-1][1:] != holds:
            merged.append((period.start, *holds))
    return merged


@pytest.mark.parametrize("strategy", STRATEGIES, ids=NAMES)
@laws
@given(st.data())
def test_resumed_equals_from_scratch(strategy: st.SearchStrategy[Raw], data: st.DataObject) -> None:
    """A checkpoint knows nothing of what is decided after it, and need not."""
    raw, document = a_course(data, strategy)
    facts, entries = document.facts, in_force(document.entries)
    charted = [e for e in entries if not isinstance(e, BaselineFacts)]
    every = sorted({e.at for e in charted if e.at >= facts.infused_at})
    if not every:
        return
    cut = data.draw(st.sampled_from(every))
    known = tuple(later for later in facts.policies if later.at <= cut)
    found = checkpoint_at(replace(facts, policies=known), entries, cut)
    late = [e for e in entries if e.at > cut or isinstance(e, BaselineFacts)]
    whole = regrade(facts, entries)
    resumed = regrade(facts, late, resume=found)
    assert says(resumed.periods) == says([p for p in whole.periods if p.start > cut])
    continuing = [p for p in whole.periods if p.start <= cut]
    if continuing:
        assert resumed.continuing_until == continuing[-1].end
    now = max(cut, an_instant(data, raw))
    assert status_at(facts, late, now, resume=found)[1] == status_at(facts, entries, now)[1]


def checkpoint_at(facts: CourseFacts, entries: Sequence[Entry], cut: datetime) -> ResumePoint:
    baselines = [e for e in entries if isinstance(e, BaselineFacts)]
    state = CourseState.at_start(facts, facts.baseline.with_entries(baselines), LEE_2014)
    fold(state, in_order(e for e in entries if e.at <= cut and not isinstance(e, BaselineFacts)))
    made = save_state(state)
    assert made.at == cut
    return made.to_resume_point()


@pytest.mark.parametrize("strategy", STRATEGIES, ids=NAMES)
@laws
@given(st.data())
def test_the_time_before_a_change_is_unaffected(
    strategy: st.SearchStrategy[Raw], data: st.DataObject
) -> None:
    raw, document = a_course(data, strategy)
    facts, entries = document.facts, in_force(document.entries)
    at = an_instant(data, raw)
    earlier = tuple(later for later in facts.policies if later.at < at)
    former = replace(facts, policies=earlier)
    changed = replace(facts, policies=(*earlier, PolicyFrom(at, a_policy(data))))
    was, now = regrade(former, entries).periods, regrade(changed, entries).periods
    assert before(now, at) == before(was, at)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=NAMES)
@laws
@given(st.data())
def test_the_same_numbers_again_change_no_grade(
    strategy: st.SearchStrategy[Raw], data: st.DataObject
) -> None:
    raw = data.draw(strategy)
    document = read_course(json.dumps(raw))
    facts, entries = document.facts, in_force(document.entries)
    again = replace(facts, policies=(PolicyFrom(an_instant(data, raw), facts.policy),))
    once, twice = regrade(facts, entries).periods, regrade(again, entries).periods
    assert what_holds(twice) == what_holds(once)
    moment = an_instant(data, raw)
    plain, renewed = status_at(facts, entries, moment)[1], status_at(again, entries, moment)[1]
    assert [p.start for p in renewed.upcoming] == [p.start for p in plain.upcoming]
    assert (renewed.grade, renewed.at_most) == (plain.grade, plain.at_most)


@laws
@given(st.data())
def test_a_change_before_anything_is_charted_grades_it_all(data: st.DataObject) -> None:
    raw = data.draw(courses())
    document = read_course(json.dumps(raw))
    facts, entries = document.facts, in_force(document.entries)
    first = min([facts.infused_at, *(entry.at for entry in entries)])
    changed = a_policy(data)
    earlier = replace(facts, policies=(PolicyFrom(first - timedelta(minutes=1), changed),))
    alone = regrade(replace(facts, policy=changed), entries).periods
    graded = regrade(earlier, entries).periods
    assert what_holds(graded) == what_holds(alone)
    assert all(period.policy == 1 for period in graded)


@laws
@given(st.data())
def test_every_period_lies_within_the_time_of_its_policy(data: st.DataObject) -> None:
    _, document = a_course(data, courses())
    facts = document.facts
    begins = [facts.infused_at, *(later.at for later in facts.policies)]
    for period in regrade(facts, in_force(document.entries)).periods:
        assert begins[period.policy] <= period.start
        assert facts.policies_begun(period.start) == period.policy
        if period.end is None or period.grade == 5:
            continue
        following = begins[period.policy + 1 :]
        assert not following or period.end <= following[0]


# Worked examples: an adult of 80 kg; minutes after the infusion

START = datetime(2014, 1, 1, tzinfo=UTC)
FACTS = CourseFacts(infused_at=START, age_years=Decimal(54), weight_kg=Decimal(80))
NOREPINEPHRINE = {"kind": "vasopressor", "drug": "norepinephrine", "rate": "20", "unit": "ug/min"}


def minute(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def charted(minutes: float, **raw: Any) -> Entry:
    return read_entry({"id": f"{raw['kind']}-{minutes}", "at": minute(minutes).isoformat(), **raw})


def graded(*entries: Entry, **changes: Raw) -> list[tuple[float, int, int]]:
    """Start in minutes, grade and bound of every period; ``changes``: at60={...} and so on."""
    later = tuple(
        PolicyFrom(minute(int(at.removeprefix("at"))), policy_from(overrides))
        for at, overrides in changes.items()
    )
    periods = regrade(replace(FACTS, policies=later), entries).periods
    return [((p.start - START).total_seconds() / 60, p.grade, p.at_most) for p in periods]


def test_fever_begins_and_ends_with_its_threshold() -> None:
    fever = charted(0, kind="vitals", temperature_c="38.2")
    changes = {"at60": {"fever_threshold_c": "38.5"}, "at90": {"fever_threshold_c": "38.2"}}
    assert graded(fever, **changes) == [(0, 1, 1), (60, 0, 0), (90, 1, 1)]


def test_an_entry_at_the_instant_of_a_change_is_graded_under_the_new_policy() -> None:
    cpap = charted(60, kind="oxygen", device="cpap")
    assert graded(cpap, at60={"cpap_grade": 4}) == [(0, 0, 0), (60, 4, 4)]
    assert graded(cpap, at61={"cpap_grade": 4}) == [(0, 0, 0), (60, 3, 3), (61, 4, 4)]


def test_a_change_that_changes_no_grade_still_ends_a_period() -> None:
    cpap = charted(0, kind="oxygen", device="cpap")
    periods = graded(cpap, at60={"stale_after_vitals_minutes": 60})
    assert periods == [(0, 3, 3), (60, 3, 3)]


def test_an_open_high_dose_run_keeps_its_credit() -> None:
    """Table 3 asks for 3 hours; from 60 minutes on the site asks for 2."""
    run = charted(0, **NOREPINEPHRINE)
    assert graded(run) == [(0, 2, 2), (180, 3, 3)]
    assert graded(run, at60={"high_dose_minutes": 120}) == [(0, 2, 2), (60, 2, 2), (120, 3, 3)]
    assert graded(run, at150={"high_dose_minutes": 120}) == [(0, 2, 2), (150, 3, 3)]
    longer = [(0, 2, 2), (180, 3, 3), (190, 2, 2), (240, 3, 3)]
    assert graded(run, at190={"high_dose_minutes": 240}) == longer


def test_a_dose_stays_as_it_was_converted_when_charted() -> None:
    """30 mcg/min of bitartrate is 15 of base, below 20; the next rate follows the new policy."""
    first = charted(0, **{**NOREPINEPHRINE, "rate": "30"})
    salt = {"norepinephrine_expressed_as": "bitartrate"}
    assert graded(first, at30=salt) == [(0, 2, 2), (30, 2, 2), (180, 3, 3)]
    again = charted(60, **{**NOREPINEPHRINE, "rate": "30"})
    assert graded(first, again, at30=salt) == [(0, 2, 2), (30, 2, 2)]


def test_the_words_follow_the_conversion_not_the_policy_in_force() -> None:
    policies = (PolicyFrom(minute(30), policy_from({"norepinephrine_expressed_as": "bitartrate"})),)
    facts = replace(FACTS, policies=policies)
    entries = [charted(0, **{**NOREPINEPHRINE, "rate": "30"})]
    assert "base" not in status_at(facts, entries, minute(40))[1].criteria[0].explanation
    entries.append(charted(60, **{**NOREPINEPHRINE, "rate": "30"}))
    assert "= 15 mcg/min base" in status_at(facts, entries, minute(61))[1].criteria[0].explanation


def test_a_pressure_is_classified_again() -> None:
    reading = charted(0, kind="vitals", systolic_mmhg="88", diastolic_mmhg="70")
    floor = {"sbp_floor_adult_mmhg": "85"}
    assert [period[1] for period in graded(reading, at60=floor)] == [2, 0]


def test_a_reading_that_is_no_longer_low_ends_a_judgement_that_followed_it() -> None:
    entries = [
        charted(0, **{**NOREPINEPHRINE, "rate": "5"}),
        charted(10, kind="judgement", about="refractory_hypotension", present=True),
        charted(20, kind="vitals", systolic_mmhg="88", diastolic_mmhg="70"),
    ]
    periods = graded(*entries, at60={"sbp_floor_adult_mmhg": "85"})
    assert [period[:2] for period in periods[-2:]] == [(20, 3), (60, 2)]


def test_a_bolus_is_judged_by_the_reading_that_the_new_policy_calls_low() -> None:
    reading = charted(0, kind="vitals", systolic_mmhg="88", diastolic_mmhg="70")
    normal = charted(30, kind="vitals", systolic_mmhg="120", diastolic_mmhg="70")
    bolus = charted(40, kind="fluid_bolus", volume_ml="500")
    assert graded(reading, normal, bolus)[-2][1] == 2
    assert graded(reading, normal, bolus, at20={"sbp_floor_adult_mmhg": "85"})[-1][1] == 0
    assert graded(reading, normal, bolus, at35={"sbp_floor_adult_mmhg": "85"})[-1][1] == 0


def test_a_bolus_holds_as_long_as_the_policy_in_force_says() -> None:
    reading = charted(0, kind="vitals", systolic_mmhg="80", diastolic_mmhg="70")
    bolus = charted(1, kind="fluid_bolus", volume_ml="500")
    normal = charted(2, kind="vitals", systolic_mmhg="120", diastolic_mmhg="70")
    at = [period[:2] for period in graded(reading, bolus, normal, at60={"fluid_hold_minutes": 90})]
    assert at[-2:] == [(60, 2), (91, 0)]


def test_a_result_is_graded_again_and_what_was_there_before_stays() -> None:
    entries = [
        charted(-60, kind="toxicity", term="confusion", grade="2"),
        charted(0, kind="toxicity", term="confusion", grade="2"),
        charted(0, kind="lab", analyte="alt", value="60", unit="U/L", upper_limit="40"),
    ]
    assert graded(*entries, at60={"laboratory_grade_1_counts": True}) == [(0, 0, 0), (60, 1, 1)]
    assert graded(*entries, at60={"worsened_only": False}) == [(0, 0, 0), (60, 2, 2)]


def test_a_policy_decided_for_later_is_part_of_what_comes() -> None:
    policies = (PolicyFrom(minute(60), policy_from({"cpap_grade": 4})),)
    now = status_at(
        replace(FACTS, policies=policies), [charted(0, kind="oxygen", device="cpap")], minute(30)
    )[1]
    assert [(p.start, p.grade) for p in now.upcoming] == [(minute(60), 4)]
    unseen = (PolicyFrom(minute(60), policy_from({"bipap_grade": 3})),)
    now = status_at(
        replace(FACTS, policies=unseen), [charted(0, kind="oxygen", device="cpap")], minute(30)
    )[1]
    assert now.upcoming == ()


def test_staleness_follows_the_policy_in_force() -> None:
    policies = (PolicyFrom(minute(60), policy_from({"stale_after_oxygen_minutes": 30})),)
    facts, entries = replace(FACTS, policies=policies), [charted(0, kind="oxygen", device="cpap")]
    assert status_at(facts, entries, minute(59))[1].stale == frozenset()
    assert status_at(facts, entries, minute(60))[1].stale == {"oxygen"}


def test_nothing_changes_after_a_death() -> None:
    entries = [charted(0, kind="oxygen", device="cpap"), charted(30, kind="death")]
    assert graded(*entries, at60={"cpap_grade": 4}) == [(0, 3, 3), (30, 5, 5)]
    assert graded(*entries, at30={"cpap_grade": 4}) == [(0, 3, 3), (30, 5, 5)]


def test_a_status_names_the_policy_in_force() -> None:
    later = policy_from({"cpap_grade": 4})
    facts = replace(FACTS, policies=(PolicyFrom(minute(60), later),))
    policies = [status_at(facts, [], minute(at))[1].policy for at in (-60, 59, 60)]
    assert policies == [FACTS.policy, FACTS.policy, later]


def test_the_next_observations_are_due_by_grade() -> None:
    """A death, which is grade 5, asks for none."""
    policy = policy_from({f"observations_due_grade_{n}_minutes": 60 + n for n in range(5)})
    due = [policy.observations_due_after(grade) for grade in range(6)]
    assert due == [*(timedelta(minutes=60 + n) for n in range(5)), None]


def test_later_policies_come_in_order() -> None:
    with pytest.raises(ValueError, match="in order of time"):
        replace(FACTS, policies=(PolicyFrom(minute(9), FACTS.policy),) * 2)

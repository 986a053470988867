"""Corners where a rule could be read one step too far."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from grading.course_file import read_entry
from grading.engine.facts import Baseline, CourseFacts
from grading.service import CurrentStatus, status_at

START = datetime(2014, 1, 1, tzinfo=UTC)
FACTS = CourseFacts(
    infused_at=START,
    age_years=Decimal(54),
    baseline=Baseline(systolic_mmhg=Decimal(126), diastolic_mmhg=Decimal(74)),
)
NOREPINEPHRINE = {"kind": "vasopressor", "drug": "norepinephrine", "rate": "5", "unit": "ug/min"}
JUDGED = {"kind": "judgement", "about": "refractory_hypotension", "present": True}
NORMAL = {"kind": "vitals", "systolic_mmhg": "110"}
LOW = {"kind": "vitals", "systolic_mmhg": "84"}
BOLUS = {"kind": "fluid_bolus", "volume_ml": "500"}


def current(minutes: int, *charted: tuple[int, dict[str, Any]]) -> CurrentStatus:
    entries = [
        read_entry({"id": f"e{place}", "at": (START + timedelta(minutes=after)).isoformat(), **raw})
        for place, (after, raw) in enumerate(charted)
    ]
    return status_at(FACTS, entries, START + timedelta(minutes=minutes))[1]


def met(now: CurrentStatus) -> set[str]:
    return {criterion.code for criterion in now.criteria}


def test_a_result_of_another_cause_leaves_nothing_unknown_without_its_limit() -> None:
    alt = {"kind": "lab", "analyte": "alt", "value": "90", "unit": "U/L"}
    assert [u.could_reach for u in current(1, (0, alt)).unknown] == [3]
    assert current(1, (0, {**alt, "attribution": "other"})).unknown == ()


def test_refractory_is_not_lapsed_by_a_reading_of_its_own_instant() -> None:
    charted = ((0, NOREPINEPHRINE), (10, JUDGED), (10, NORMAL))
    assert "hypotension.refractory" in met(current(10, *charted))
    assert "hypotension.refractory" not in met(current(11, *charted, (11, NORMAL)))


def test_refractory_is_not_lapsed_by_a_later_low_reading() -> None:
    charted = ((0, NOREPINEPHRINE), (10, JUDGED), (20, LOW))
    assert "hypotension.refractory" in met(current(20, *charted))


def test_refractory_is_not_lapsed_by_anything_but_a_reading() -> None:
    charted = ((0, NORMAL), (0, NOREPINEPHRINE), (10, JUDGED), (20, BOLUS))
    assert "hypotension.refractory" in met(current(20, *charted))


def test_refractory_lapses_when_the_last_vasopressor_stops() -> None:
    charted = ((0, NOREPINEPHRINE), (10, JUDGED), (20, {**NOREPINEPHRINE, "rate": "0"}))
    again = (30, NOREPINEPHRINE)
    assert "hypotension.refractory" not in met(current(30, *charted, again))


def test_a_bolus_names_the_low_reading_that_it_was_given_for() -> None:
    def evidence(*charted: tuple[int, dict[str, Any]]) -> tuple[str, ...]:
        found = current(60, *charted).criteria
        return next(c.evidence for c in found if c.code == "hypotension.fluid_bolus")

    assert evidence((0, LOW), (10, LOW), (20, BOLUS)) == ("e2", "e1")
    assert evidence((0, LOW), (10, NORMAL), (20, BOLUS)) == ("e2", "e0")


def test_a_judgement_of_a_reading_low_by_its_floor_says_the_floor() -> None:
    relative = {"kind": "judgement", "about": "relative_hypotension", "present": True}
    (low,) = current(10, (0, LOW), (5, relative)).criteria
    assert "low is SBP below 90" in low.explanation
    assert not low.uncertain


def test_an_uncertain_reading_marks_the_low_pressure() -> None:
    (low,) = current(10, (0, {**LOW, "attribution": "uncertain"})).criteria
    assert low.uncertain

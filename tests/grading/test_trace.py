"""Values over time are those that grading had."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from grading.course_file import read_course
from grading.engine.sentences import short_name
from grading.engine.systems.lee_2014 import LEE_2014
from grading.engine.vocabulary import OxygenDevice, VasopressorDrug
from grading.service import Trace, trace_of

INFUSED_AT = datetime(2024, 3, 1, 6, tzinfo=UTC)


def traced(*entries: dict[str, Any], hours: float = 100, **document: Any) -> Trace:
    raw = {
        "format": "crs-course/1",
        "patient": {"age_years": 61},
        "therapy": {"infused_at": INFUSED_AT.isoformat()},
        "weight_kg": 72,
        "entries": [
            {**entry, "at": (INFUSED_AT + timedelta(hours=entry["at"])).isoformat()}
            for entry in entries
        ],
        **document,
    }
    course = read_course(raw)
    return trace_of(course.facts, course.entries, INFUSED_AT + timedelta(hours=hours))


def norepinephrine(at: float, rate: Any, unit: str = "ug/kg/min", **more: Any) -> dict[str, Any]:
    return {"at": at, "kind": "vasopressor", "drug": "norepinephrine", "rate": rate, "unit": unit,
            **more}  # fmt: skip


def test_a_rate_by_weight_is_converted_exactly() -> None:
    steps = traced(norepinephrine(1, "0.3"), norepinephrine(2, "0.32"), norepinephrine(3, 0))
    doses = steps.doses[VasopressorDrug.NOREPINEPHRINE]
    assert [(step.runs, step.dose) for step in doses] == [
        (True, Fraction("21.6")), (True, Fraction("23.04")), (False, None),
    ]  # fmt: skip
    assert [(s.equivalent, s.limit) for s in steps.equivalent] == [
        (Fraction("21.6"), 20), (Fraction("23.04"), 20), (0, None),
    ]  # fmt: skip


def test_the_limit_of_table_3_follows_what_runs_together() -> None:
    vasopressin = {"kind": "vasopressor", "drug": "vasopressin", "unit": "units/min"}
    epinephrine = {"kind": "vasopressor", "drug": "epinephrine", "unit": "ug/min"}
    steps = traced(
        norepinephrine(1, 12, "ug/min"),
        {**epinephrine, "at": 2, "rate": 5},
        {**vasopressin, "at": 3, "rate": "0.03"},
        norepinephrine(4, 0, "ug/min"),
        {**vasopressin, "at": 5, "rate": 0},
    ).equivalent
    assert [(s.equivalent, s.limit) for s in steps] == [
        (12, 20), (17, 20), (17, 10), (5, 10), (5, 10),
    ]  # fmt: skip
    assert steps[-1].limit == 10  # epinephrine by itself


def test_dopamine_by_itself_is_high_at_five_equivalents() -> None:
    """Table 3: 10 µg/kg/min by itself; VASST counts two of them as one."""
    [step] = traced({"at": 1, "kind": "vasopressor", "drug": "dopamine", "rate": 9,
                     "unit": "ug/kg/min"}).equivalent  # fmt: skip
    assert (step.equivalent, step.limit) == (Fraction(9, 2), 5)


def test_a_dose_that_is_not_known_leaves_the_equivalent_incomplete() -> None:
    [step] = traced(norepinephrine(1, None)).equivalent
    assert not step.is_complete
    assert not step.is_known


@pytest.mark.parametrize(
    ("drug", "rate", "unit", "by_itself"),
    [
        ("vasopressin", "0.03", "units/min", True),
        ("vasopressin", None, None, True),
        ("angiotensin_ii", "10", "ng/kg/min", False),
        ("other_vasopressor", None, None, False),
    ],
)
def test_a_drug_without_a_term_in_the_equation_leaves_the_equivalent_known(
    drug: str, rate: str | None, unit: str | None, by_itself: bool
) -> None:
    """Table 3 adds four drugs; by itself only vasopressin has a row, with an equivalent of 0."""
    note = {"note": "terlipressin"} if drug == "other_vasopressor" else {}
    without = {"at": 1, "kind": "vasopressor", "drug": drug, "rate": rate, "unit": unit, **note}
    alone, both, none = traced(
        without, norepinephrine(2, 5, "ug/min"),
        norepinephrine(3, 0, "ug/min"), {**without, "at": 3, "rate": 0},
    ).equivalent  # fmt: skip
    assert (alone.equivalent, alone.is_complete, alone.is_known) == (0, True, by_itself)
    assert (both.equivalent, both.is_complete, both.is_known) == (5, True, True)
    assert (none.equivalent, none.is_known) == (0, True)


def test_estimated_fio2_is_marked_and_a_charted_one_is_not() -> None:
    oxygen = traced(
        {"at": 1, "kind": "oxygen", "device": "nasal_cannula", "flow_l_per_min": 4},
        {"at": 2, "kind": "oxygen", "device": "high_flow_nasal_cannula", "fio2_percent": 45},
        {"at": 3, "kind": "oxygen", "device": "high_flow_nasal_cannula"},
        {"at": 4, "kind": "oxygen", "device": "room_air"},
    ).oxygen
    assert [(step.fio2_percent, step.estimated) for step in oxygen] == [
        (36, True), (45, False), (None, False), (21, False),
    ]  # fmt: skip
    assert oxygen[-1].device is OxygenDevice.ROOM_AIR


def test_the_floors_are_those_in_force_and_nothing_later_is_traced() -> None:
    steps = traced(norepinephrine(1, 30, "ug/min"), norepinephrine(3, 40, "ug/min"), hours=2)
    [limits] = steps.limits
    assert (limits.systolic_floor_mmhg, limits.map_floor_mmhg) == (90, 65)
    assert limits.fever_c == Decimal(38)
    assert len(steps.equivalent) == 1


def test_a_child_has_no_floor_of_mean_pressure() -> None:
    [limits] = traced(patient={"age_years": 5}).limits
    assert (limits.systolic_floor_mmhg, limits.map_floor_mmhg) == (80, None)


def test_a_mean_pressure_is_charted_or_derived_exactly() -> None:
    vitals = {"kind": "vitals", "systolic_mmhg": 100, "diastolic_mmhg": 56}
    first, second = traced(
        {**vitals, "at": 1}, {**vitals, "at": 2, "mean_arterial_pressure_mmhg": 70}
    ).pressure
    assert (first.mean, first.is_derived) == (Fraction(212, 3), True)
    assert (second.mean, second.is_derived) == (70, False)


def test_every_criterion_has_a_short_name() -> None:
    for code in LEE_2014.rules:
        assert 0 < len(short_name(code)) <= 16  # what the review page has room for


def test_oxygen_that_stays_the_same_is_one_step_and_nothing_before_the_infusion_is_noted() -> None:
    values = traced(
        {"at": -3, "kind": "vitals", "systolic_mmhg": 80},
        {"at": 1, "kind": "oxygen", "device": "nasal_cannula", "flow_l_per_min": 4},
        {"at": 2, "kind": "vitals", "systolic_mmhg": 84},
    )
    assert [step.at for step in values.oxygen] == [INFUSED_AT + timedelta(hours=1)]
    assert [reading.systolic for reading in values.pressure] == [84]

"""Warnings about a course file: what a form would ask about, listed and never refused."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from grading.course_result import result_json
from tests.grading.random_courses import Raw
from tests.grading.test_course_file import BASE, course


def warnings(*entries: Raw, **changes: Any) -> list[tuple[str, str]]:
    answer = result_json(json.dumps(course(*entries, **changes)))
    return [(one["place"], one["text"]) for one in answer["warnings"]]


def places(*entries: Raw, **changes: Any) -> list[str]:
    return [place for place, _ in warnings(*entries, **changes)]


def lab(analyte: str, unit: str, value: Any = 1, **limits: Any) -> Raw:
    return {"kind": "lab", "analyte": analyte, "unit": unit, "value": value, **limits}


def hour(number: int, **fields: Any) -> Raw:
    return {"at": f"2014-01-05T{number:02}:00:00+00:00", **fields}


def test_a_ventilator_for_the_airway_that_gives_much_oxygen_is_warned_of() -> None:
    words = {"kind": "oxygen", "device": "invasive_ventilation", "purpose": "airway_protection"}
    second = {"format": "crs-course/2"}
    assert places(hour(9, **words, fio2_percent=50), **second) == ["entries[0].purpose"]
    assert places(hour(9, **words, fio2_percent=40), **second) == []


PLAUSIBLE = [
    ("alt", "U/L", "upper_limit", "15", "150"),
    ("ast", "U/L", "upper_limit", "15", "150"),
    ("alp", "U/L", "upper_limit", "60", "800"),
    ("ggt", "U/L", "upper_limit", "15", "300"),
    ("bilirubin", "mg/dL", "upper_limit", "0.5", "3"),
    ("bilirubin", "umol/L", "upper_limit", "8", "52"),
    ("creatinine", "mg/dL", "upper_limit", "0.2", "2"),
    ("creatinine", "umol/L", "upper_limit", "18", "180"),
    ("fibrinogen", "mg/dL", "upper_limit", "300", "700"),
    ("fibrinogen", "g/L", "upper_limit", "3", "7"),
    ("fibrinogen", "mg/dL", "lower_limit", "100", "250"),
    ("fibrinogen", "g/L", "lower_limit", "1", "2.5"),
    ("aptt", "s", "upper_limit", "25", "65"),
    ("inr", "ratio", "upper_limit", "1.0", "1.5"),
]


@pytest.mark.parametrize(("analyte", "unit", "place", "lowest", "highest"), PLAUSIBLE)
def test_a_limit_of_normal_from_another_unit_is_warned_of(
    analyte: str, unit: str, place: str, lowest: str, highest: str
) -> None:
    value = {"creatinine": 1, "fibrinogen": 300}.get(analyte, 15)
    value = {"umol/L": 30, "g/L": 3, "ratio": 1}.get(unit, value)
    for limit in (lowest, highest):
        assert warnings(lab(analyte, unit, value, **{place: limit})) == []
    little = Decimal("0.01")
    for limit in (str(Decimal(lowest) - little), str(Decimal(highest) + little)):
        ((where, text),) = warnings(lab(analyte, unit, value, **{place: limit}))
        assert where == f"entries[0].{place}"
        assert place.split("_", maxsplit=1)[0] in text


def test_the_limit_that_decided_a_grade_unseen_is_named_with_its_unit() -> None:
    document = course(lab("bilirubin", "umol/L", 20, upper_limit="1.2"))
    answer = result_json(json.dumps(document))
    assert answer["current"]["grade"] == 4
    ((_, text),) = [(one["place"], one["text"]) for one in answer["warnings"]]
    assert "1.2 µmol/L is unusual as upper limit of normal" in text
    assert "Is it the limit in mg/dL?" in text
    mirrored = lab("bilirubin", "mg/dL", 20, upper_limit=21)
    assert places(mirrored) == ["entries[0].upper_limit"]


def test_a_newborn_has_another_limit_of_bilirubin() -> None:
    result = lab("bilirubin", "mg/dL", 5, upper_limit=12)
    born = {"mrn": "1", "birth_date": "2013-12-10", "sex": "female"}
    assert places(result, patient=born) == []
    assert places(result, patient={**born, "birth_date": "2013-12-04"}) == [
        "entries[0].upper_limit"
    ]
    assert places(result) == ["entries[0].upper_limit"]


def test_unusual_values_and_contradictions_stand_at_their_places() -> None:
    assert places({"kind": "vitals", "temperature_c": 42, "systolic_mmhg": 60}) == [
        "entries[0].temperature_c",
        "entries[0].systolic_mmhg",
    ]
    assert places({"kind": "vitals", "temperature_f": 108}) == ["entries[0].temperature_f"]
    pressures = {"kind": "vitals", "systolic_mmhg": 80, "diastolic_mmhg": 100}
    assert places(pressures) == ["entries[0].diastolic_mmhg"]
    mean = {"kind": "vitals", "systolic_mmhg": 110, "mean_arterial_pressure_mmhg": 120}
    assert places(mean) == ["entries[0].mean_arterial_pressure_mmhg"]
    assert places(lab("fibrinogen", "mg/dL", "2.1")) == ["entries[0].value"]


def test_baseline_and_weight_outside_the_entries_are_warned_of_too() -> None:
    assert places(weight_kg=210) == ["weight_kg"]
    assert places(baseline={"systolic_mmhg": 90, "diastolic_mmhg": 95}) == [
        "baseline.diastolic_mmhg"
    ]
    assert places(baseline={"fibrinogen_mg_dl": "2.5"}) == ["baseline.fibrinogen_mg_dl"]


def test_an_entry_long_before_the_infusion_is_warned_of() -> None:
    weight = {"kind": "weight", "weight_kg": 80}
    assert places({**weight, "at": "2013-11-02T00:00:00+00:00"}) == []
    assert places({**weight, "at": "2013-11-01T23:59:59+00:00"}) == ["entries[0].at"]


def test_a_five_fold_dose_is_warned_of_with_the_weight_of_the_file() -> None:
    norepinephrine = {"kind": "vasopressor", "drug": "norepinephrine"}
    rates = (
        hour(11, **norepinephrine, rate="0.5", unit="ug/kg/min"),
        hour(10, **norepinephrine, rate="8", unit="ug/min"),
    )
    ((place, text),) = warnings(*rates, weight_kg=80)
    assert place == "entries[0].rate"
    assert "5 times the dose before; that was 8 mcg/min" in text


def test_a_weight_more_than_a_tenth_away_is_warned_of_once() -> None:
    weights = (hour(10, kind="weight", weight_kg=71), hour(11, kind="weight", weight_kg=72))
    assert places(*weights, weight_kg=80) == ["entries[0].weight_kg"]


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"kind": "fluid_bolus", "volume_ml": 1001}, "volume_ml"),
        ({"kind": "fluid_bolus", "volume_ml": 1000}, ""),
        ({"kind": "fluid_bolus", "volume_ml": 49}, "volume_ml"),
        ({"kind": "treatment", "agent": "tocilizumab", "dose_mg": 801}, "dose_mg"),
        ({"kind": "treatment", "agent": "tocilizumab", "dose_mg": 600}, ""),
        ({"kind": "treatment", "agent": "tocilizumab"}, "dose_mg"),
        ({"kind": "treatment", "agent": "methylprednisolone", "dose_mg": 1001}, "dose_mg"),
        ({"kind": "treatment", "agent": "dexamethasone", "dose_mg": 41}, "dose_mg"),
        ({"kind": "treatment", "agent": "dexamethasone"}, "dose_mg"),
        ({"kind": "treatment", "agent": "hydrocortisone", "dose_mg": 301}, "dose_mg"),
        ({"kind": "treatment", "agent": "siltuximab", "dose_mg": 601}, "dose_mg"),
        ({"kind": "treatment", "agent": "anakinra", "dose_mg": 201}, "dose_mg"),
        ({"kind": "treatment", "agent": "etanercept", "dose_mg": 51}, "dose_mg"),
        ({"kind": "treatment", "agent": "infliximab", "dose_mg": 501}, "dose_mg"),
        ({"kind": "treatment", "agent": "antipyretic", "dose_mg": 1001}, "dose_mg"),
        ({"kind": "treatment", "agent": "antibiotics"}, ""),
        ({"kind": "treatment", "agent": "other", "note": "IVIG"}, ""),
    ],
    ids=str,
)
def test_doses_are_held_to_usual_amounts(given: Raw, place: str) -> None:
    assert places(given, weight_kg=50) == ([f"entries[0].{place}"] if place else [])


def test_a_bolus_is_judged_by_the_weight() -> None:
    bolus = {"kind": "fluid_bolus", "volume_ml": 400}
    assert places(bolus, weight_kg="19.9") == ["entries[0].volume_ml"]
    assert places(bolus, weight_kg=20) == []


def test_tocilizumab_is_asked_about_within_8_hours_and_from_the_fifth_dose_on() -> None:
    dose = {"kind": "treatment", "agent": "tocilizumab", "dose_mg": 400}
    assert places(hour(0, **dose), hour(8, **dose)) == []
    assert places(hour(1, **dose), hour(8, **dose)) == ["entries[1].agent"]
    days = [{**dose, "at": f"2014-01-{day:02}T10:00:00+00:00"} for day in range(2, 7)]
    assert places(*days) == ["entries[4].agent"]
    before = [{**dose, "at": f"2013-12-{day:02}T10:00:00+00:00"} for day in range(20, 25)]
    assert places(*before, *days[:4]) == []
    assert places(*before, *days) == ["entries[9].agent"]


def test_what_was_corrected_or_retracted_is_not_warned_of() -> None:
    wrong = {**lab("alt", "U/L", 30, upper_limit=4), "id": "wrong"}
    right = lab("alt", "U/L", 30, upper_limit=40, replaces="wrong")
    assert places(wrong, right) == []
    assert places(wrong, {"kind": "retraction", "replaces": "wrong"}) == []


def test_a_warning_about_what_was_not_known_yet_is_left_out() -> None:
    late = {**lab("alt", "U/L", 30, upper_limit=4), "recorded_at": "2014-01-06T10:00:00+00:00"}
    text = json.dumps(course(late))
    known = result_json(text)["warnings"]
    assert [one["place"] for one in known] == ["entries[0].upper_limit"]
    before = result_json(text, known_at=_at("2014-01-06T09:00:00+00:00"))
    assert before["warnings"] == []


def _at(text: str) -> Any:

    return datetime.fromisoformat(text)


def test_a_file_without_anything_unusual_has_no_warnings() -> None:
    assert result_json(json.dumps(BASE))["warnings"] == []


def test_an_upper_limit_that_is_not_above_the_lower_one_is_warned_of() -> None:
    assert places(lab("alt", "U/L", 30, lower_limit=40, upper_limit=40)) == [
        "entries[0].upper_limit"
    ]
    assert places(lab("alt", "U/L", 30, lower_limit=7, upper_limit=40)) == []

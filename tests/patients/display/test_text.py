"""Charted facts, ages, times and causes in words."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import override_settings

from grading.course_file import read_entry
from grading.engine.entries import KINDS
from grading.format_2 import NEW_KINDS
from patients.display.text import (
    age_text,
    attribution_text,
    capital,
    clock_text,
    date_time_text,
    day_and_time_text,
    duration_text,
    entry_text,
    key_label,
    late_text,
    until_text,
)
from tests.factories import utc
from tests.patients.display.every_kind import EVERY_KIND

WORDS: list[tuple[str, dict[str, Any], str]] = [
    ("vitals", {"temperature_c": "39.10"}, "Temp 39.1 °C"),
    ("vitals", {"temperature_f": "101.3"}, "Temp 101.3 °F (38.5 °C)"),
    ("vitals", {"temperature_f": "100.399"}, "Temp 100.399 °F (≈38.0 °C)"),
    ("vitals", {"systolic_mmhg": "104", "diastolic_mmhg": "58"}, "BP 104/58"),
    (
        "vitals",
        {"mean_arterial_pressure_mmhg": "70", "heart_rate": "118", "respiratory_rate": "22"},
        "MAP 70 · HR 118 · RR 22",
    ),
    ("vitals", {"diastolic_mmhg": "58", "spo2_percent": "94"}, "DBP 58 · SpO₂ 94 %"),
    ("oxygen", {"device": "room_air"}, "Room air"),
    ("oxygen", {"device": "nasal_cannula"}, "Nasal cannula, flow not charted"),
    ("oxygen", {"device": "nasal_cannula", "flow_l_per_min": "4"}, "Nasal cannula, 4 L/min"),
    ("oxygen", {"device": "venturi_mask", "fio2_percent": "0.35"}, "Venturi mask, FiO2 35 %"),
    (
        "vasopressor",
        {"drug": "norepinephrine", "rate": "0.25", "unit": "ug/kg/min"},
        "Norepinephrine 0.25 mcg/kg/min × 80 kg = 20 mcg/min",
    ),
    (
        "vasopressor",
        {"drug": "norepinephrine", "rate": "0.25", "unit": "ug/kg/min", "weight_kg": "60"},
        "Norepinephrine 0.25 mcg/kg/min × 60 kg = 15 mcg/min",
    ),
    (
        "vasopressor",
        {"drug": "dopamine", "rate": "800", "unit": "ug/min"},
        "Dopamine 800 mcg/min ÷ 80 kg = 10 mcg/kg/min",
    ),
    (
        "vasopressor",
        {"drug": "epinephrine", "rate": "1.2", "unit": "mg/h"},
        "Epinephrine 1.2 mg/h = 20 mcg/min",
    ),
    (
        "vasopressor",
        {"drug": "vasopressin", "rate": "3", "unit": "ml/h", "concentration_per_ml": "0.8"},
        "Vasopressin 3 mL/h of 0.8 units/mL = 0.04 units/min",
    ),
    ("vasopressor", {"drug": "dopamine", "rate": "0"}, "Dopamine stopped"),
    ("vasopressor", {"drug": "dopamine", "rate": None}, "Dopamine dose not known"),
    ("fluid_bolus", {"volume_ml": "500"}, "Fluid bolus 500 mL"),
    ("weight", {"weight_kg": "71.50"}, "Weight 71.5 kg"),
    ("lab", {"analyte": "crp", "value": "142", "unit": "mg/L"}, "CRP 142 mg/L"),
    (
        "lab",
        {"analyte": "bilirubin", "value": "30", "unit": "umol/L", "upper_limit": "21"},
        "Bilirubin 30 µmol/L (upper limit 21)",
    ),
    (
        "lab",
        {"analyte": "inr", "value": "20", "unit": "ratio", "comparator": ">", "lower_limit": "1"},
        "INR >20 (lower limit 1)",
    ),
    ("baseline", {"systolic_mmhg": "126", "diastolic_mmhg": "74"}, "Baseline BP 126/74"),
    (
        "baseline",
        {"diastolic_mmhg": "74", "mean_arterial_pressure_mmhg": "90", "lvef_percent": "60"},
        "Baseline BP –/74 · MAP 90 · LVEF 60 %",
    ),
    ("baseline", {}, "Baseline not established"),
    (
        "risk",
        {"older_age": True, "extensive_comorbidities": False},
        "Risk: extensive comorbidities no, older age yes",
    ),
    ("risk", {}, "Risk: not answered"),
    ("toxicity", {"term": "acute_kidney_injury", "grade": 2}, "Acute kidney injury, CTCAE grade 2"),
    ("toxicity", {"term": "alt", "grade": 0}, "ALT, resolved"),
    (
        "judgement",
        {"about": "life_threatening", "present": False},
        "Judged immediately life-threatening toxicity: no",
    ),
    ("symptom", {"term": "rigors", "present": True}, "Rigors present"),
    ("symptom", {"term": "headache", "present": False}, "Headache absent"),
    ("treatment", {"agent": "tocilizumab", "dose_mg": "320"}, "Tocilizumab 320 mg"),
    ("treatment", {"agent": "antibiotics"}, "Antibiotics"),
    ("note", {"note": "Family called"}, "Note: Family called"),
    (
        "not_observed",
        {"what": "vital_signs", "reason": "off_ward"},
        "Vital signs not observed: off ward",
    ),
    (
        "not_observed",
        {"what": "vital_signs", "reason": "other", "note": "monitor away"},
        "Vital signs not observed: monitor away",
    ),
    ("death", {}, "Death"),
    ("retraction", {"replaces": "x"}, "Entered in error"),
    *(
        (kind, body, words)
        for kind in (one.kind for one in NEW_KINDS)
        for body, words in EVERY_KIND[kind]
    ),
    *(("death", body, words) for body, words in EVERY_KIND["death"]),
    *(
        (
            "oxygen",
            {"device": device, "purpose": "airway_protection"},
            f"{words}, not for low oxygen",
        )
        for device, words in (
            ("invasive_ventilation", "Invasive ventilation, to protect the airway"),
            ("nasal_cannula", "Nasal cannula, flow not charted, to protect the airway"),
        )
    ),
]


def read(kind: str, body: dict[str, Any]) -> Any:
    return read_entry({"id": "1", "at": "2026-03-01T12:00:00+00:00", "kind": kind, **body})


@pytest.mark.parametrize(("kind", "body", "words"), WORDS, ids=[words for _, _, words in WORDS])
def test_an_entry_in_words(kind: str, body: dict[str, Any], words: str) -> None:
    assert entry_text(read(kind, body), Decimal(80)) == words


def test_every_kind_has_words() -> None:
    assert {kind for kind, _, _ in WORDS} == set(KINDS)


def test_a_dose_per_kg_without_a_weight_says_so() -> None:
    fields = {"drug": "norepinephrine", "rate": "0.25", "unit": "ug/kg/min"}
    assert entry_text(read("vasopressor", fields)).endswith("mcg/kg/min, no weight charted")


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (0, "0 min"),
        (41, "41 min"),
        (60, "1 h"),
        (139, "2 h 19 min"),
        (1440, "1 d"),
        (1505, "1 d 1 h"),
    ],
)
def test_a_duration_in_words(minutes: int, text: str) -> None:
    assert duration_text(timedelta(minutes=minutes)) == text


def test_ages_and_late_charting() -> None:
    at = utc("2026-03-01 12:00")
    assert age_text(at, at + timedelta(seconds=59)) == "just now"
    assert age_text(at, at + timedelta(minutes=12)) == "12 min ago"
    assert late_text(at, at + timedelta(minutes=10)) == ""
    assert late_text(at, at + timedelta(minutes=11)) == "charted 11 min later"
    assert late_text(at, at + timedelta(minutes=42)) == "charted 42 min later"


def test_a_time_has_its_date_unless_it_is_todays(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    assert clock_text(utc("2026-03-01 12:05"), utc("2026-03-01 20:00")) == "13:05"
    assert clock_text(utc("2026-02-27 12:05"), utc("2026-03-01 20:00")) == "27 Feb 13:05"


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("heart_rate", "Heart rate"),
        ("lab.crp", "CRP"),
        ("vasopressor.angiotensin_ii", "Angiotensin II"),
        ("judgement.refractory_hypotension", "Refractory hypotension"),
        ("toxicity.qtc_prolonged", "QTc prolonged"),
        ("oxygen", "Oxygen"),
        ("ice", "ICE"),
        ("capd", "CAPD"),
        ("admission", "Place of care"),
        ("neuro_sign.focal_edema", "Swelling in one place on the scan"),
        ("seizure", "Seizure"),
        ("blood_product", "Blood product"),
        ("judgement.prolonged_reaction", "Prolonged or recurring reaction"),
    ],
)
def test_each_key_of_the_chart_has_a_label(key: str, label: str) -> None:
    assert key_label(key) == label


def test_what_icans_alone_asks_is_not_called_uncounted_for_crs() -> None:
    entry = read("consciousness", {"level": "voice", "attribution": "other"})
    assert attribution_text(entry) == "other cause, not counted"
    uncertain = read("ice", {"score": 3, "attribution": "uncertain"})
    assert attribution_text(uncertain) == "attribution uncertain, counted"


def test_a_row_is_tagged_where_a_finding_is_not_due_to_crs() -> None:
    vitals = {"heart_rate": "140", "temperature_c": "39", "attribution": {"heart_rate": "other"}}
    assert attribution_text(read("vitals", vitals)) == "HR other cause, not counted for CRS"
    uncertain = {"device": "cpap", "attribution": "uncertain"}
    assert "uncertain, counted" in attribution_text(read("oxygen", uncertain))
    assert attribution_text(read("oxygen", {"device": "cpap"})) == ""


CHICAGO = "America/Chicago"


@pytest.mark.parametrize(
    ("instant", "words"),
    [
        ("2026-11-01 06:30", "01:30 CDT"),
        ("2026-11-01 07:30", "01:30 CST"),
        ("2026-11-01 05:30", "00:30"),
        ("2026-11-01 08:00", "02:00"),
        ("2026-03-08 07:59", "01:59"),
        ("2026-03-08 08:00", "03:00"),
    ],
)
def test_the_hour_that_is_repeated_is_told_apart(instant: str, words: str) -> None:
    at = utc(instant)
    with override_settings(TIME_ZONE=CHICAGO):
        assert clock_text(at, at) == words
        assert date_time_text(at).endswith(words)
        assert day_and_time_text(at, at).endswith(words)


def test_an_age_of_a_day_or_more_is_in_days() -> None:
    at = utc("2026-03-01 12:00")
    assert age_text(at, at + timedelta(hours=33, minutes=45)) == "1 d 9 h ago"
    assert age_text(at, at + timedelta(hours=24, minutes=5)) == "1 d ago"
    assert until_text(at + timedelta(seconds=30), at) == "under 1 min"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", ""),
        ("a", "A"),
        ("creatinine 2.1 mg/dL", "Creatinine 2.1 mg/dL"),
        ("aPTT 62.7 s", "aPTT 62.7 s"),
        ("INR 1.7", "INR 1.7"),
    ],
)
def test_a_sentence_begins_with_a_capital_but_for_a_name_that_has_one_inside(
    text: str, written: str
) -> None:
    assert capital(text) == written

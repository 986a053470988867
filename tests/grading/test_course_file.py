"""The reader of course files: what it takes, what it refuses, and at which place."""

# ruff: noqa: E501  (one case a line, so that the tables can be read)

import copy
import json
import time
from decimal import Decimal
from typing import Any

import pytest

from grading.course_file import CourseFileError, Fault, read_course, read_entry
from grading.engine.entries import Oxygen, Vitals
from grading.engine.entry_json import from_words, to_words
from tests.grading.random_courses import Raw

AT = "2014-01-05T10:00:00+00:00"
BASE: Raw = {
    "format": "crs-course/1",
    "patient": {"mrn": "1", "name": "A", "age_years": 54, "sex": "female"},
    "therapy": {"product": "CAR-T", "infused_at": "2014-01-01T00:00:00+00:00"},
    "entries": [],
}


def course(*entries: Raw, **changes: Any) -> Raw:
    document = copy.deepcopy(BASE) | changes
    document["entries"] = [{"at": AT, **entry} for entry in entries] or document["entries"]
    return document


def refused(document: Any) -> tuple[Fault, ...]:
    text = document if isinstance(document, str) else json.dumps(document)
    with pytest.raises(CourseFileError) as error:
        read_course(text)
    assert str(error.value)
    return error.value.faults


def faults(document: Any) -> list[str]:
    return [str(fault) for fault in refused(document)]


def places(document: Any) -> set[str]:
    return {fault.split(": ", 1)[0] for fault in faults(document)}


NOT_NUMBERS = (
    "3_9", "3_8.5", "1e1", "3.9E1", " 39", "39 ", "\t39", "39\n", "3 9", "39,1", "1,039", "0x27",
    "\uff13\uff19", "\u0663\u0669", "", ".", "+", "--39", "39.1.2", "\u221239", "39\u200b",
)  # fmt: skip
NOT_TEXT = (
    "a\x1b[2J", "a\x07", "a\nb", "a\tb", "\x7f", "\x85", "a\ud800", "\udfffa", "a\u202eb",
    "\u2066", "\u200fa", "a\u2028b",
)  # fmt: skip
ENTRY_FAULTS: list[tuple[Raw, str]] = [
    ({"kind": "vitals"}, ""),
    ({"kind": "vitals", "temperature_c": "warm"}, ".temperature_c"),
    ({"kind": "vitals", "temperature_c": True}, ".temperature_c"),
    ({"kind": "vitals", "temperature_c": "NaN"}, ".temperature_c"),
    ({"kind": "vitals", "temperature_c": "1e99999"}, ".temperature_c"),
    ({"kind": "vitals", "temperature_c": 45.1}, ".temperature_c"),
    ({"kind": "vitals", "temperature_c": 24.9}, ".temperature_c"),
    ({"kind": "vitals", "temperature_f": 114}, ".temperature_f"),
    ({"kind": "vitals", "temperature_f": 101, "temperature_c": 38}, ".temperature_f"),
    *(({"kind": "vitals", "temperature_c": text}, ".temperature_c") for text in NOT_NUMBERS),
    *(({"kind": "vitals", "heart_rate": 80, "note": text}, ".note") for text in NOT_TEXT),
    ({"kind": "vitals", "heart_rate": 80, "note": "n" * 1001}, ".note"),
    ({"kind": "vitals", "heart_rate": 80, "id": "i" * 201}, ".id"),
    ({"kind": "vitals", "systolic_mmhg": 19}, ".systolic_mmhg"),
    ({"kind": "vitals", "spo2_percent": 101}, ".spo2_percent"),
    ({"kind": "vitals", "heart_rate": 80, "attribution": {"pulse": "crs"}}, ".attribution.pulse"),
    ({"kind": "vitals", "heart_rate": 80, "attribution": {"heart_rate": "x"}}, ".attribution.heart_rate"),
    ({"kind": "note"}, ".note"),
    ({"kind": "note", "note": "  "}, ".note"),
    ({"kind": "note", "note": 7}, ".note"),
    ({"kind": "note", "note": "seen", "reason": "asleep"}, ".reason"),
    ({"kind": "not_observed", "reason": "asleep"}, ".what"),
    ({"kind": "not_observed", "what": "vital_signs"}, ".reason"),
    ({"kind": "not_observed", "what": "vital_signs", "reason": "busy"}, ".reason"),
    ({"kind": "not_observed", "what": "vital_signs", "reason": "other"}, ".note"),
    ({"kind": "oxygen"}, ".device"),
    ({"kind": "oxygen", "device": "tent"}, ".device"),
    ({"kind": "oxygen", "device": ["cpap"]}, ".device"),
    ({"kind": "oxygen", "device": "room_air", "flow_l_per_min": 2}, ".flow_l_per_min"),
    ({"kind": "oxygen", "device": "room_air", "fio2_percent": 30}, ".fio2_percent"),
    ({"kind": "oxygen", "device": "venturi_mask", "fio2_percent": 1}, ".fio2_percent"),
    ({"kind": "oxygen", "device": "venturi_mask", "fio2_percent": "0.2"}, ".fio2_percent"),
    ({"kind": "oxygen", "device": "venturi_mask", "fio2_percent": 20.9}, ".fio2_percent"),
    ({"kind": "oxygen", "device": "nasal_cannula", "flow_l_per_min": 71}, ".flow_l_per_min"),
    ({"kind": "oxygen", "device": "cpap", "attribution": {"device": "crs"}}, ".attribution"),
    ({"kind": "vasopressor", "rate": 5, "unit": "ug/min"}, ".drug"),
    ({"kind": "vasopressor", "drug": "aspirin", "rate": 5}, ".drug"),
    ({"kind": "vasopressor", "drug": "norepinephrine"}, ".rate"),
    ({"kind": "vasopressor", "drug": "norepinephrine", "rate": -1, "unit": "ug/min"}, ".rate"),
    ({"kind": "vasopressor", "drug": "norepinephrine", "rate": 5}, ".unit"),
    ({"kind": "vasopressor", "drug": "norepinephrine", "rate": 5, "unit": "units/min"}, ".unit"),
    ({"kind": "vasopressor", "drug": "other_vasopressor", "rate": 5, "unit": "ug/min"}, ".unit"),
    ({"kind": "vasopressor", "drug": "norepinephrine", "rate": 301, "unit": "ug/min"}, ".rate"),
    (
        {"kind": "vasopressor", "drug": "norepinephrine", "rate": 4, "unit": "ug/kg/min", "weight_kg": 80},
        ".rate",
    ),
    ({"kind": "vasopressor", "drug": "dopamine", "rate": 51, "unit": "ug/kg/min"}, ".rate"),
    ({"kind": "vasopressor", "drug": "vasopressin", "rate": 31, "unit": "units/h"}, ".rate"),
    ({"kind": "vasopressor", "drug": "norepinephrine", "rate": 5, "unit": "ml/h"}, ".concentration_per_ml"),
    (
        {"kind": "vasopressor", "drug": "norepinephrine", "rate": 5, "unit": "ug/min", "concentration_per_ml": 16},
        ".concentration_per_ml",
    ),
    ({"kind": "vasopressor", "drug": "norepinephrine", "rate": 5, "unit": "ug/kg/min", "weight_kg": 0}, ".weight_kg"),
    ({"kind": "fluid_bolus"}, ".volume_ml"),
    ({"kind": "fluid_bolus", "volume_ml": 0}, ".volume_ml"),
    ({"kind": "fluid_bolus", "volume_ml": "0.9"}, ".volume_ml"),
    ({"kind": "fluid_bolus", "volume_ml": 5001}, ".volume_ml"),
    ({"kind": "weight"}, ".weight_kg"),
    ({"kind": "weight", "weight_kg": 351}, ".weight_kg"),
    ({"kind": "lab", "value": 1, "unit": "U/L"}, ".analyte"),
    ({"kind": "lab", "analyte": "alt", "unit": "U/L"}, ".value"),
    ({"kind": "lab", "analyte": "alt", "value": 1}, ".unit"),
    ({"kind": "lab", "analyte": "alt", "value": 1, "unit": "mg/dL"}, ".unit"),
    ({"kind": "lab", "analyte": "alt", "value": 1, "unit": 7}, ".unit"),
    ({"kind": "lab", "analyte": "alt", "value": 30001, "unit": "U/L"}, ".value"),
    ({"kind": "lab", "analyte": "alp", "value": -1, "unit": "U/L"}, ".value"),
    ({"kind": "lab", "analyte": "alt", "value": 1, "unit": "U/L", "upper_limit": 0}, ".upper_limit"),
    ({"kind": "lab", "analyte": "alt", "value": 1, "unit": "U/L", "lower_limit": -1}, ".lower_limit"),
    ({"kind": "lab", "analyte": "alt", "value": 1, "unit": "U/L", "comparator": "<="}, ".comparator"),
    ({"kind": "baseline", "systolic_mmhg": 10}, ".systolic_mmhg"),
    ({"kind": "baseline", "creatinine_mg_dl": 41}, ".creatinine_mg_dl"),
    ({"kind": "baseline", "measured_at": "then"}, ".measured_at"),
    ({"kind": "risk", "older_age": "yes"}, ".older_age"),
    ({"kind": "toxicity", "term": "hiccups", "grade": 1}, ".term"),
    ({"kind": "toxicity", "term": ["rash"], "grade": 1}, ".term"),
    ({"kind": "toxicity", "term": "rash"}, ".grade"),
    ({"kind": "toxicity", "term": "rash", "grade": 5}, ".grade"),
    ({"kind": "toxicity", "term": "rash", "grade": "1.5"}, ".grade"),
    ({"kind": "toxicity", "term": "rash", "grade": "one"}, ".grade"),
    ({"kind": "judgement", "present": True}, ".about"),
    ({"kind": "judgement", "about": "life_threatening"}, ".present"),
    ({"kind": "judgement", "about": "mood", "present": True}, ".about"),
    ({"kind": "symptom", "term": "joy", "present": True}, ".term"),
    ({"kind": "symptom", "term": "rigors", "present": 1}, ".present"),
    ({"kind": "treatment"}, ".agent"),
    ({"kind": "treatment", "agent": "tocilizumab", "dose_mg": 0}, ".dose_mg"),
    ({"kind": "treatment", "agent": "tocilizumab", "dose_mg": 6400}, ".dose_mg"),
    ({"kind": "treatment", "agent": "methylprednisolone", "dose_mg": 99999}, ".dose_mg"),
    ({"kind": "treatment", "agent": "dexamethasone", "dose_mg": "0.05"}, ".dose_mg"),
    ({"kind": "weight", "weight_kg": 80, "at": "2008-12-30T00:00:00+00:00"}, ".at"),
    ({"kind": "weight", "weight_kg": 80, "at": "2019-01-02T00:00:00+00:00"}, ".at"),
    ({"kind": "weight", "weight_kg": 80, "at": "2014-01-05T10:00:00+16:00"}, ".at"),
    ({"kind": "weight", "weight_kg": 80, "at": "2014-01-05\x1b10:00:00+00:00"}, ".at"),
    ({"kind": "weight", "weight_kg": 80, "hei\x1bght\ud800": 5}, ".hei\x1bght\ud800"),
    ({"kind": "death", "cause": "relapse"}, ".cause"),
    ({"kind": "retraction"}, ".replaces"),
    ({"kind": "retraction", "replaces": "nobody"}, ".replaces"),
    ({"kind": "weight", "weight_kg": 80, "id": "x", "replaces": "x"}, ".replaces"),
    ({"kind": "weight", "weight_kg": 80, "at": "2014-01-05T10:00:00"}, ".at"),
    ({"kind": "weight", "weight_kg": 80, "at": "0001-01-01T00:00:00+10:00"}, ".at"),
    ({"kind": "weight", "weight_kg": 80, "at": None}, ".at"),
    ({"kind": "weight", "weight_kg": 80, "at": 5}, ".at"),
    ({"kind": "weight", "weight_kg": 80, "recorded_at": "2014-01-05T09:54:59+00:00"}, ".at"),
    ({"kind": "weight", "weight_kg": 80, "attribution": "sepsis"}, ".attribution"),
    ({"kind": "weight", "weight_kg": 80, "note": 5}, ".note"),
    ({"kind": "weight", "weight_kg": 80, "note": "a\x00b"}, ".note"),
    ({"kind": "wait"}, ".kind"),
    ({"kind": ["vitals"]}, ".kind"),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "place"), ENTRY_FAULTS, ids=lambda item: str(item)[:60])
def test_a_faulty_entry_is_refused_at_its_place(entry: Raw, place: str) -> None:
    (fault,) = refused(course(entry))
    assert fault.place == f"entries[0]{place}"
    assert str(fault).isprintable()


def patient(**changes: Any) -> Raw:
    return {**BASE["patient"], **changes}


def deep(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("depth", range(700, 1000, 7))
def test_no_depth_of_a_document_ends_the_reader(depth: int) -> None:
    for place in ("format", "extra", "patient", "entries"):
        text = json.dumps({**BASE, place: "@"}).replace('"@"', "[" * depth + "1" + "]" * depth)
        assert faults(text)
    entry = json.dumps(course({"kind": "note", "note": "seen", "id": "@"}))
    assert faults(entry.replace('"@"', "[" * depth + "]" * depth))


DOCUMENT_FAULTS: list[tuple[Any, str]] = [
    ("{", "document"),
    ("[]", "document"),
    ('{"format": NaN}', "document"),
    ('{"format": "crs-course/1", "format": "crs-course/1"}', "document"),
    ('{"entries": ' + "[" * 100_000, "document"),
    ({**BASE, "format": "crs-course/3"}, "format"),
    ({key: value for key, value in BASE.items() if key != "format"}, "format"),
    *(({**BASE, "format": deep(depth)}, "format") for depth in (1, 200)),
    ({**BASE, "policy": {"cpap_grade": deep(200)}}, "policy.cpap_grade"),
    ({**BASE, "extra": 1}, "extra"),
    ({**BASE, "entries": {}}, "entries"),
    ({**BASE, "entries": [5]}, "entries[0]"),
    ({**BASE, "patient": None}, "patient"),
    ({**BASE, "patient": []}, "patient"),
    ({**BASE, "patient": {"mrn": "1"}}, "patient"),
    ({**BASE, "patient": patient(age_years=121)}, "patient.age_years"),
    ({**BASE, "patient": patient(sex="f")}, "patient.sex"),
    ({**BASE, "patient": patient(birth_date="1.1.1960")}, "patient.birth_date"),
    ({**BASE, "patient": patient(birth_date=1960)}, "patient.birth_date"),
    ({**BASE, "patient": patient(birth_date="2014-01-02")}, "patient.birth_date"),
    ({**BASE, "patient": patient(birth_date="1893-01-02")}, "patient.birth_date"),
    ({**BASE, "patient": patient(height=1)}, "patient.height"),
    ({**BASE, "patient": patient(mrn="1" * 41)}, "patient.mrn"),
    ({**BASE, "patient": patient(mrn="1\u202e2")}, "patient.mrn"),
    ({**BASE, "patient": patient(name="n" * 201)}, "patient.name"),
    ({**BASE, "patient": patient(name="A\ud83d")}, "patient.name"),
    ({**BASE, "patient": patient(age_years="\uff15\uff14")}, "patient.age_years"),
    ({**BASE, "therapy": {**BASE["therapy"], "product": "p" * 121}}, "therapy.product"),
    ({**BASE, "weight_kg": "8_0"}, "weight_kg"),
    ({**BASE, "policy": {"gap_minutes": "1_5"}}, "policy.gap_minutes"),
    ({**BASE, "policy": {"fever_threshold_c": "\uff13\uff18"}}, "policy.fever_threshold_c"),
    ({**BASE, "patient": patient(older_age="no")}, "patient.older_age"),
    ({**BASE, "therapy": None}, "therapy"),
    ({**BASE, "therapy": {"product": "x"}}, "therapy.infused_at"),
    ({**BASE, "therapy": {"infused_at": "2014-01-01"}}, "therapy.infused_at"),
    ({**BASE, "therapy": {**BASE["therapy"], "dose": 1}}, "therapy.dose"),
    ({**BASE, "baseline": []}, "baseline"),
    ({**BASE, "baseline": {"systolic_mmhg": 301}}, "baseline.systolic_mmhg"),
    ({**BASE, "baseline": {"pulse": 80}}, "baseline.pulse"),
    ({**BASE, "baseline": {"note": "x"}}, "baseline.note"),
    ({**BASE, "weight_kg": "0.5"}, "weight_kg"),
    ({**BASE, "weight_kg": "8" * 70}, "weight_kg"),
    ({**BASE, "policy": {"gap_minutes": "8" * 70}}, "policy.gap_minutes"),
    ({**BASE, "policy": {"high_dose_doses": 1}}, "policy.high_dose_doses"),
    ({**BASE, "policy": {"cpap_grade": 2}}, "policy.cpap_grade"),
    ({**BASE, "policy": {"neuro_counts": 1}}, "policy.neuro_counts"),
    ({**BASE, "policy": {"gap_minutes": "1.5"}}, "policy.gap_minutes"),
    ({**BASE, "policy": {"gap_minutes": True}}, "policy.gap_minutes"),
    ({**BASE, "policy": {"gap_minutes": "long"}}, "policy.gap_minutes"),
    ({**BASE, "policy": {"gap_minutes": 241}}, "policy.gap_minutes"),
]


@pytest.mark.parametrize(("document", "place"), DOCUMENT_FAULTS, ids=lambda item: str(item)[:60])
def test_a_faulty_document_is_refused_at_its_place(document: Any, place: str) -> None:
    assert places(document) == {place}


def test_every_fault_is_named_at_once() -> None:
    document = course({"kind": "weight"}, {"kind": "oxygen", "device": "tent"}, weight_kg=0)
    assert places(document) == {"weight_kg", "entries[0].weight_kg", "entries[1].device"}


def test_two_entries_cannot_replace_the_same_one() -> None:
    document = course(
        {"kind": "weight", "weight_kg": 80, "id": "a"},
        {"kind": "weight", "weight_kg": 81, "replaces": "a"},
        {"kind": "retraction", "replaces": "a"},
    )
    assert faults(document) == ['entries[2].replaces: "a" is already replaced by another entry']


def test_ids_are_unique_and_made_where_absent() -> None:
    twice = course({"kind": "death", "id": "a"}, {"kind": "death", "id": "a"})
    assert places(twice) == {"entries[1].id"}
    made = read_course(json.dumps(course({"kind": "death"}, {"kind": "death", "id": "entry-0"})))
    assert len({entry.id for entry in made.entries}) == 2


def test_numbers_are_read_exactly_whatever_their_writing() -> None:
    text = json.dumps(course({"kind": "vitals", "temperature_c": "@"}))
    for written in (
        "38.000000000000000000000000001",
        '"38.000000000000000000000000001"',
    ):
        entry = read_course(text.replace('"@"', written)).entries[0]
        assert isinstance(entry, Vitals)
        assert entry.temperature_c == Decimal("38.000000000000000000000000001")


def test_a_number_with_too_many_digits_is_no_measurement() -> None:
    assert places(
        json.dumps(course({"kind": "vitals", "heart_rate": "@"})).replace('"@"', "8" * 70)
    ) == {"document"}


def test_python_floats_are_refused_because_they_are_not_what_was_written() -> None:
    with pytest.raises(CourseFileError):
        read_course(course({"kind": "vitals", "temperature_c": 38.1}))


@pytest.mark.parametrize(
    ("raw", "percent"), [("0.4", 40), ("0.21", 21), ("0.999", "99.9"), (40, 40)]
)
def test_fio2_is_read_as_fraction_or_percent(raw: Any, percent: Any) -> None:
    entry = read_entry({"kind": "oxygen", "at": AT, "device": "venturi_mask", "fio2_percent": raw})
    assert isinstance(entry, Oxygen)
    assert entry.fio2_percent == Decimal(percent)


def test_blanks_around_a_number_of_a_patient_are_no_part_of_it() -> None:
    read = read_course(json.dumps({**BASE, "patient": patient(mrn="  000 777\u00a0")}))
    assert read.patient.mrn == "000 777"


def test_a_number_that_json_writes_with_an_exponent_is_a_number() -> None:
    text = json.dumps(course({"kind": "vitals", "temperature_c": "@"}))
    entry = read_course(text.replace('"@"', "3.9e1")).entries[0]
    assert isinstance(entry, Vitals)
    assert entry.temperature_c == 39


def test_a_file_may_give_fahrenheit_exactly() -> None:
    read = read_course(json.dumps(course({"kind": "vitals", "temperature_f": "100.399"})))
    entry = read.entries[0]
    assert isinstance(entry, Vitals)
    assert entry.temperature_c is not None
    assert entry.temperature_c < 38


def test_a_charted_row_of_before_these_rules_is_still_read() -> None:
    row = {"id": "1", "kind": "vitals", "at": AT, "heart_rate": "8_0", "note": "a\x1b" * 900}
    entry = read_entry(row)
    assert isinstance(entry, Vitals)
    assert entry.value_of("heart_rate") == 80
    bolus = {"id": "1", "kind": "fluid_bolus", "at": AT, "volume_ml": "6000"}
    assert read_entry(bolus).kind == "fluid_bolus"
    with pytest.raises(CourseFileError):
        read_entry({**bolus, "volume_ml": "half a bag"})


def test_a_key_that_stands_twice_is_found_at_once() -> None:
    keys = ",".join(f'"k{number}": 1' for number in range(40_000))
    before = time.monotonic()
    assert places("{" + keys + ', "k39999": 2}') == {"document"}
    assert time.monotonic() - before < 5


def test_the_faults_of_a_hostile_file_are_not_all_listed() -> None:
    found = faults({**BASE, "entries": [1] * 5000})
    assert len(found) == 1001
    assert "the rest is not listed" in found[-1]


def test_a_form_may_say_fahrenheit_but_not_both_scales() -> None:
    entry = read_entry({"kind": "vitals", "at": AT, "temperature_f": "100.4"})
    assert isinstance(entry, Vitals)
    assert entry.temperature_c == 38
    with pytest.raises(CourseFileError) as refused:
        read_entry(
            {"kind": "vitals", "at": AT, "temperature_f": "100.4", "temperature_c": 38},
            index_place="entry",
        )
    assert refused.value.faults[0].place == "entry.temperature_f"


def test_a_temperature_outside_both_scales_is_refused() -> None:
    with pytest.raises(CourseFileError):
        read_entry({"kind": "vitals", "at": AT, "temperature_f": "76"})


ONE_OF_EACH: list[Raw] = [
    {"kind": "vitals", "temperature_c": "38.4", "attribution": {"temperature_c": "other"}},
    {"kind": "vitals", "temperature_f": "101.1", "attribution": "uncertain", "note": "ear"},
    {"kind": "oxygen", "device": "nasal_cannula", "flow_l_per_min": "2"},
    {"kind": "vasopressor", "drug": "norepinephrine", "rate": None},
    {"kind": "vasopressor", "drug": "dopamine", "rate": "5", "unit": "ug/kg/min"},
    {"kind": "fluid_bolus", "volume_ml": "500"},
    {"kind": "weight", "weight_kg": "80.5"},
    {"kind": "lab", "analyte": "alt", "value": "201", "unit": "U/L", "upper_limit": "40", "comparator": ">"},
    {"kind": "baseline", "systolic_mmhg": "126", "measured_at": AT},
    {"kind": "risk", "older_age": False, "extensive_comorbidities": True},
    {"kind": "toxicity", "term": "rash", "grade": 0},
    {"kind": "judgement", "about": "life_threatening", "present": False},
    {"kind": "symptom", "term": "rigors", "present": True},
    {"kind": "treatment", "agent": "tocilizumab", "dose_mg": "320"},
    {"kind": "death", "attribution": "other"},
    {"kind": "retraction", "replaces": "x"},
]  # fmt: skip


@pytest.mark.parametrize("raw", ONE_OF_EACH, ids=lambda raw: str(raw["kind"]))
def test_an_entry_survives_being_written_as_words(raw: Raw) -> None:
    entry = read_entry({"id": "e", "at": AT, **raw})
    assert from_words(json.loads(json.dumps(to_words(entry)))) == entry


IMPOSSIBLE_TIMES = (
    "0001-01-01T00:00:00+00:00",
    "1899-12-31T23:59:59+00:00",
    "1900-01-01T00:00:00+01:00",
    "2200-01-01T00:00:01+00:00",
    "9999-12-31T23:59:59-12:00",
)


@pytest.mark.parametrize("written", IMPOSSIBLE_TIMES)
def test_a_time_outside_1900_to_2200_is_refused_at_its_place(written: str) -> None:
    therapy = {"product": "CAR-T", "infused_at": written}
    assert "therapy.infused_at" in places(course(therapy=therapy))
    note = {"kind": "note", "note": "seen"}
    assert places(course({**note, "at": written})) == {"entries[0].at"}
    assert "entries[0].recorded_at" in places(course({**note, "recorded_at": written}))
    assert places(course(baseline={"measured_at": written})) == {"baseline.measured_at"}


def test_the_first_and_the_last_possible_times_are_read() -> None:
    for written in ("1900-01-01T00:00:00+00:00", "2200-01-01T00:00:00+00:00"):
        entry = {"kind": "note", "note": "seen", "at": written}
        document = course(entry, therapy={"product": "CAR-T", "infused_at": written})
        assert read_course(json.dumps(document)).entries[0].at.isoformat() == written


@pytest.mark.parametrize("at", ["2009-01-02T00:00:00+00:00", "2018-12-31T00:00:00+00:00"])
def test_an_entry_less_than_five_years_from_the_infusion_is_read(at: str) -> None:
    entry = {"kind": "weight", "weight_kg": 80, "at": at}
    assert read_course(json.dumps(course(entry))).entries[0].at.isoformat() == at


def test_an_offset_that_no_place_has_is_refused() -> None:
    therapy = {"product": "CAR-T", "infused_at": "2014-01-01T00:00:00-18:00"}
    assert places(course(therapy=therapy)) == {"therapy.infused_at"}


def test_a_charted_row_is_read_whatever_its_time() -> None:
    words = {"id": "1", "kind": "note", "note": "seen", "at": "0001-01-01T00:00:00+00:00"}
    assert read_entry(words).at.year == 1

"""A course written as FHIR and read again: the same entries, the same grades, nothing held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import fields
from datetime import datetime
from itertools import chain, islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from grading.course_file import CourseDocument, read_course
from grading.course_result import grade_course
from grading.engine.entries import Entry, Vasopressor, Vitals, in_force
from grading.engine.vocabulary import VITAL_SIGN
from patients.exchange.formats.context import Context, Filing, SystemKind
from patients.exchange.formats.convert import convert
from patients.exchange.formats.converted import Converted
from patients.exchange.formats.exact_json import read_json, write_json
from patients.exchange.formats.fhir_read import read_bundle
from patients.exchange.formats.fhir_write import bundle_of
from tests.patients.exchange.written_courses import (
    Raw,
    demo_courses,
    random_courses,
    random_scale_courses,
    scale_courses,
    worked_courses,
)

MRN_SYSTEM = "urn:crs:mrn"


def chart_without_entries(document: Raw) -> Context:
    return Context(
        course={**document, "entries": []},
        mrn_system=MRN_SYSTEM,
        timezone=ZoneInfo("UTC"),
        system="ehr-1",
        kind=SystemKind.EHR,
        filing={"default": Filing.FILE},
    )


def latest(course: CourseDocument) -> datetime:
    times = [time for entry in course.entries for time in (entry.at, entry.recorded_at)]
    return max(times, default=course.facts.infused_at)


def read_again(text: str, document: Raw, at: datetime) -> tuple[Converted, CourseDocument]:
    context = chart_without_entries(document)
    converted = convert(read_bundle(text.encode(), context), context, at)
    words = {**document, "format": "crs-course/2", "entries": list(converted.entries)}
    return converted, read_course(words)


def without_our_entries(value: Any) -> Any:
    """A Bundle as a system hands it on that keeps none of our entries."""
    if isinstance(value, list):
        return [without_our_entries(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: without_our_entries(item) for key, item in value.items()}
    found = [one for one in kept.pop("extension", ()) if not one["url"].startswith("urn:crs:entry")]
    return kept | ({"extension": found} if found else {})


def graded(course: CourseDocument, now: datetime) -> list[Any]:
    result = grade_course(course, now)
    return [
        (one.start, one.end, one.grade, one.at_most, [c.code for c in one.criteria],
         [u.code for u in one.unknown])
        for one in (*result.periods, *result.projected)
    ]  # fmt: skip


SEVERAL_AT_A_TIME = {"fluid_bolus", "treatment", "blood_product", "seizure", "note", "not_observed"}
"""Of two alike at one instant one comes back."""
NAMED_BY = ("analyte", "drug", "term", "about", "sign")
NOT_COMPARED = {"id", "recorded_at", "replaces", "kind"}


def what_holds(entries: Iterable[Entry]) -> Counter[Any]:
    """What each entry in force says of each thing, where nothing later charted took its place."""
    holding: dict[Hashable, Any] = {}
    several: set[Any] = set()
    in_order = sorted(in_force(entries), key=lambda one: (one.at, one.recorded_at))
    for entry in in_order:
        for thing, value in stated(entry):
            if entry.kind in SEVERAL_AT_A_TIME:
                several.add((thing, entry.at, value))
            elif thing != "pressures" or is_reading(value) or not holds_reading(holding, entry.at):
                holding[thing, entry.at] = value
    return Counter([*several, *holding.items()])


def is_reading(pressures: Any) -> bool:
    """A systolic or a mean pressure makes a reading; a diastolic alone takes no reading's place."""
    return any(key != "diastolic_mmhg" for key, _, _ in pressures)


def holds_reading(holding: dict[Any, Any], at: datetime) -> bool:
    return is_reading(holding.get(("pressures", at), ()))


def stated(entry: Entry) -> Iterator[tuple[Hashable, Hashable]]:
    if isinstance(entry, Vitals):
        pressures = tuple(
            (key, entry.value_of(key), entry.attribution_of(key))
            for key in VITAL_SIGN
            if key.endswith("mmhg") and entry.value_of(key) is not None
        )
        if pressures:
            yield "pressures", pressures
        for key in VITAL_SIGN:
            value = entry.value_of(key)
            if value is not None and not key.endswith("mmhg"):
                yield key, (value, entry.attribution_of(key), entry.note)
    elif isinstance(entry, Vasopressor) and not entry.rate:
        yield ("vasopressor", entry.drug), (entry.rate, entry.note)
    else:
        names = [getattr(entry, name) for name in NAMED_BY if hasattr(entry, name)]
        own = [one.name for one in fields(entry) if one.name not in NOT_COMPARED]
        yield (entry.kind, *names), tuple(getattr(entry, name) for name in own)


def two_boluses_at_once(course: CourseDocument) -> bool:
    """Two of one minute are held as contradicting each other, for both cannot be one bolus."""
    boluses = Counter(one.at for one in in_force(course.entries) if one.kind == "fluid_bolus")
    return any(count > 1 for count in boluses.values())


WORD_FOR_WORD: list[Raw] = [
    {"kind": "vitals", "temperature_c": "38.20", "systolic_mmhg": "88", "heart_rate": "110",
     "attribution": {"heart_rate": "other"}, "note": "n"},
    {"kind": "vitals", "temperature_f": "100.399", "attribution": "uncertain"},
    {"kind": "oxygen", "device": "venturi_mask", "fio2_percent": "39.999999999999999999"},
    {"kind": "oxygen", "device": "tracheostomy_mask", "note": "n"},
    {"kind": "vasopressor", "drug": "norepinephrine", "rate": "0.1", "unit": "ug/kg/min",
     "weight_kg": "72"},
    {"kind": "vasopressor", "drug": "epinephrine", "rate": "6", "unit": "ml/h",
     "concentration_per_ml": "32"},
    {"kind": "vasopressor", "drug": "other_vasopressor", "rate": None, "note": "terlipressin"},
    {"kind": "vasopressor", "drug": "dopamine", "rate": "0"},
    {"kind": "vasopressor", "drug": "vasopressin", "rate": "0", "unit": "units/min"},
    {"kind": "fluid_bolus", "volume_ml": "500"},
    {"kind": "weight", "weight_kg": "80.50"},
    {"kind": "lab", "analyte": "creatinine", "value": "1.20", "unit": "mg/dL",
     "upper_limit": "1.1", "lower_limit": "0.5", "comparator": ">"},
    {"kind": "baseline", "systolic_mmhg": "120", "creatinine_mg_dl": "0.9", "lvef_percent": "60",
     "measured_at": "2026-02-27T08:00:00+01:00", "note": "clinic"},
    {"kind": "baseline", "fibrinogen_mg_dl": "300"},
    {"kind": "risk", "extensive_comorbidities": True, "older_age": False},
    {"kind": "toxicity", "term": "seizure", "grade": "3", "attribution": "other", "note": "n"},
    {"kind": "judgement", "about": "life_threatening", "present": True},
    {"kind": "symptom", "term": "rash", "present": False},
    {"kind": "treatment", "agent": "other", "note": "immunoglobulin"},
    {"kind": "death", "attribution": "other"},
]  # fmt: skip
"""An entry of each kind, and of each form that its words have."""


@pytest.mark.parametrize(
    "entry", WORD_FOR_WORD, ids=lambda entry: " ".join(map(str, entry.values()))
)
def test_an_entry_comes_back_word_for_word(entry: Raw) -> None:
    at = "2026-03-02T10:00:00+01:00"
    (_, document) = next(iter(random_courses(1)))
    words = {"id": "e1", "at": at, **entry}
    therapy = {**document["therapy"], "infused_at": "2026-03-01T09:00:00+01:00"}
    document = {**document, "format": "crs-course/1", "therapy": therapy, "entries": [words]}
    converted, _ = read_again(bundle_of(write_json(document)), document, datetime.fromisoformat(at))
    assert converted.held == ()
    (back,) = converted.entries
    shown = {name: str(value) if name == "grade" else value for name, value in back.items()}
    of_the_row = ("id", "recorded_at", "at")
    assert {name: value for name, value in shown.items() if name not in of_the_row} == entry


COURSES = {
    "demonstration": lambda: demo_courses(),
    "worked": lambda: worked_courses(),
    "random": lambda: random_courses(205),
    "other scales": lambda: chain(islice(scale_courses(), 0, None, 10), random_scale_courses(40)),
}


@pytest.mark.parametrize("which", COURSES)
def test_a_course_comes_back_with_its_entries_and_grades_and_nothing_is_held(which: str) -> None:
    faults, count = [], 0
    for name, document in COURSES[which]():
        course = read_course(document)
        if two_boluses_at_once(course):
            continue
        count += 1
        now = latest(course)
        converted, again = read_again(bundle_of(document), document, now)
        if converted.held:
            faults.append(f"{name}: held {converted.held[0]}")
        if graded(again, now) != graded(course, now):
            faults.append(f"{name}: other periods")
        lost = what_holds(course.entries) - what_holds(again.entries)
        if lost:
            faults.append(f"{name}: lost {lost}")
    assert faults == []
    assert count >= {"demonstration": 12, "worked": 300, "random": 200}.get(which, 40)


@pytest.mark.parametrize("which", ["demonstration", "worked", "random"])
def test_without_our_extensions_the_grades_are_the_same(which: str) -> None:
    faults = []
    every = 1 if which == "random" else 3
    for name, document in islice(COURSES[which](), 0, None, every):
        course = read_course(document)
        if two_boluses_at_once(course):
            continue
        now = latest(course)
        bare = write_json(without_our_entries(read_json(bundle_of(document))))
        assert "urn:crs:entry" not in bare
        _, again = read_again(bare, document, now)
        if graded(again, now) != graded(course, now):
            faults.append(name)
    assert faults == []


def test_the_later_of_two_values_of_one_instant_comes_back_alone() -> None:
    at = "2024-03-01T08:00:00+00:00"
    vitals = {"kind": "vitals", "at": at}
    document = {
        "format": "crs-course/1",
        "patient": {"mrn": "1", "age_years": 40},
        "therapy": {"product": "CAR-T", "infused_at": "2024-03-01T06:00:00+00:00"},
        "entries": [
            {**vitals, "temperature_c": "39.0", "heart_rate": 90},
            {**vitals, "temperature_c": "37.0", "recorded_at": "2024-03-01T08:05:00+00:00"},
        ],
    }
    bundle = read_json(bundle_of(document))
    statuses = [
        (one["resource"]["code"]["coding"][0]["code"], one["resource"]["status"])
        for one in bundle["entry"]
        if one["resource"]["resourceType"] == "Observation" and "extension" in one["resource"]
    ]
    assert sorted(statuses) == [
        ("8310-5", "corrected"),
        ("8310-5", "entered-in-error"),
        ("85353-1", "final"),
        ("8867-4", "final"),
    ]
    assert [
        one["resource"]["activity"]["coding"][0]["code"]
        for one in bundle["entry"]
        if one["resource"]["resourceType"] == "Provenance"
    ] == ["CREATE", "UPDATE"]
    converted, again = read_again(write_json(bundle), document, latest(read_course(document)))
    (entry,) = again.entries
    assert converted.held == ()
    assert isinstance(entry, Vitals)
    assert (str(entry.temperature_c), str(entry.value_of("heart_rate"))) == ("37.0", "90")


def test_seizures_and_blood_products_of_one_instant_come_back_each() -> None:
    at = "2024-03-01T08:00:00+00:00"
    seizure = {"kind": "seizure", "at": at}
    product = {"kind": "blood_product", "at": at, "product": "cryoprecipitate"}
    document = {
        "format": "crs-course/2",
        "patient": {"mrn": "1", "age_years": 40},
        "therapy": {"product": "CAR-T", "infused_at": "2024-03-01T06:00:00+00:00"},
        "entries": [
            {**seizure, "id": "a", "seizure_type": "focal", "duration_minutes": "6"},
            {**seizure, "id": "b", "seizure_type": "generalised", "duration_minutes": "1"},
            {**seizure, "id": "c", "seizure_type": "focal", "replaces": "b"},
            {**product, "id": "d", "attribution": "other"},
            {**product, "id": "e"},
        ],
    }
    converted, again = read_again(bundle_of(document), document, datetime.fromisoformat(at))
    assert converted.held == ()
    assert what_holds(again.entries) == what_holds(read_course(document).entries)
    assert len(again.entries) == len({"a", "c", "d", "e"})

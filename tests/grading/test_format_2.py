"""The second format of the course file: what it reads, what it refuses, and where it is needed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from grading.course_file import CourseFileError, read_course, read_entry
from grading.engine.entries import Admission, Capd, Death, Ice, Oxygen, Seizure
from grading.engine.entry_json import from_words, to_words
from grading.engine.scale_vocabulary import DeathCause, OxygenPurpose
from grading.format_2 import needs_format_2

AT = "2026-03-01T12:00:00+00:00"
Raw = dict[str, Any]


def document(*entries: Raw, **changes: Any) -> Raw:
    return {
        "format": "crs-course/2",
        "patient": {"age_years": 40},
        "therapy": {"infused_at": "2026-03-01T00:00:00+00:00"},
        "entries": [{"at": AT, **one} for one in entries],
        **changes,
    }


def faults(*entries: Raw, **changes: Any) -> list[str]:
    with pytest.raises(CourseFileError) as refusal:
        read_course(document(*entries, **changes))
    return [fault.place for fault in refusal.value.faults]


ICE: Raw = {"kind": "ice"}
CAPD: Raw = {"kind": "capd"}
SEIZURE: Raw = {"kind": "seizure", "seizure_type": "focal"}


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (ICE, ""),
        ({**ICE, "score": 11}, "score"),
        ({**ICE, "score": -1}, "score"),
        ({**ICE, "score": "9.5"}, "score"),
        ({**ICE, "score": 9, "naming": 3}, "score"),
        ({**ICE, "orientation": 5}, "orientation"),
        ({**ICE, "naming": 4}, "naming"),
        ({**ICE, "commands": 2}, "commands"),
        ({**ICE, "writing": 2}, "writing"),
        ({**ICE, "attention": 2}, "attention"),
        ({**ICE, "performed": False, "score": 3}, "performed"),
        ({**ICE, "performed": False, "writing": 1}, "performed"),
        ({**ICE, "performed": True}, ""),
        ({**ICE, "score": 3, "reason": "sedated"}, "reason"),
        ({**ICE, "performed": False, "reason": "tired"}, "reason"),
        ({**ICE, "performed": "no"}, "performed"),
        ({**ICE, "score": 3, "total": 3}, "total"),
        (CAPD, ""),
        ({**CAPD, "score": 33}, "score"),
        ({**CAPD, "score": 0.5}, "score"),
        ({**CAPD, "performed": False, "score": 0}, "performed"),
        ({**CAPD, "naming": 3}, "naming"),
        ({"kind": "consciousness"}, "level"),
        ({"kind": "consciousness", "level": "asleep"}, "level"),
        ({"kind": "seizure"}, "seizure_type"),
        ({"kind": "seizure", "seizure_type": "febrile"}, "seizure_type"),
        ({**SEIZURE, "duration_minutes": "1440.1"}, "duration_minutes"),
        ({**SEIZURE, "duration_minutes": -1}, "duration_minutes"),
        ({**SEIZURE, "resolved": 1}, "resolved"),
        ({**SEIZURE, "repetitive_without_recovery": "yes"}, "repetitive_without_recovery"),
        ({"kind": "neuro_sign", "sign": "posturing"}, "present"),
        ({"kind": "neuro_sign", "present": True}, "sign"),
        ({"kind": "neuro_sign", "sign": "ataxia", "present": True}, "sign"),
        ({"kind": "admission"}, "setting"),
        ({"kind": "admission", "setting": "hospital"}, "setting"),
        ({"kind": "admission", "setting": "ward", "because_of_crs": "yes"}, "because_of_crs"),
        ({"kind": "blood_product"}, "product"),
        ({"kind": "blood_product", "product": "albumin"}, "product"),
        ({"kind": "oxygen", "device": "cpap", "purpose": "comfort"}, "purpose"),
        ({"kind": "death", "due_to": "crs"}, "due_to"),
        ({"kind": "death", "due_to": []}, "due_to"),
        ({"kind": "death", "due_to": ["crs", "crs"]}, "due_to[1]"),
        ({"kind": "death", "due_to": ["crs", None]}, "due_to[1]"),
        ({"kind": "death", "due_to": ["sepsis"]}, "due_to[0]"),
        ({"kind": "death", "due_to": ["crs"], "attribution": "other"}, "due_to"),
        ({"kind": "lab", "analyte": "ldh", "value": 1, "unit": "mg/dL"}, "unit"),
        ({"kind": "lab", "analyte": "hemoglobin", "value": 31, "unit": "g/dL"}, "value"),
        ({"kind": "judgement", "about": "prolonged"}, "about"),
    ],
)
def test_a_fault_is_named_by_its_place(words: Raw, place: str) -> None:
    assert f"entries[0]{f'.{place}' if place else ''}" in faults(words)


NEW: list[tuple[Raw, str]] = [
    ({**ICE, "score": 0}, "kind"),
    ({**ICE, "performed": False, "reason": None}, "kind"),
    ({**CAPD, "score": 32}, "kind"),
    ({"kind": "consciousness", "level": "voice"}, "kind"),
    ({**SEIZURE, "duration_minutes": 1440}, "kind"),
    ({"kind": "neuro_sign", "sign": "papilledema", "present": False}, "kind"),
    ({"kind": "admission", "setting": "home", "because_of_crs": None}, "kind"),
    ({"kind": "blood_product", "product": "red_cells"}, "kind"),
    ({"kind": "oxygen", "device": "cpap", "purpose": "hypoxia"}, "purpose"),
    ({"kind": "oxygen", "device": "cpap", "purpose": None}, "purpose"),
    ({"kind": "death", "due_to": ["icans"]}, "due_to"),
    ({"kind": "death", "due_to": [], "attribution": "uncertain"}, "due_to"),
    ({"kind": "judgement", "about": "prolonged_reaction", "present": True}, "about"),
    ({"kind": "lab", "analyte": "triglycerides", "value": "2.5", "unit": "mmol/L"}, "analyte"),
]


@pytest.mark.parametrize(("words", "place"), NEW)
def test_what_is_new_needs_the_second_format_and_is_refused_by_place_in_the_first(
    words: Raw, place: str
) -> None:
    assert len(read_course(document(words)).entries) == 1
    assert needs_format_2(document(words))
    assert f"entries[0].{place}" in faults(words, format="crs-course/1")


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        (
            {"patient": {"age_years": 40, "developmental_delay": None}},
            "patient.developmental_delay",
        ),
        ({"policy": {"icans_capd_below_years": 12}}, "policy.icans_capd_below_years"),
        (
            {"later_policies": [{"from": AT, "policy": {"penn_neuro_counts": True}}]},
            "later_policies[0].policy.penn_neuro_counts",
        ),
    ],
)
def test_so_are_a_fact_and_a_policy(changes: Raw, place: str) -> None:
    read_course(document(**changes))
    assert needs_format_2(document(**changes))
    assert faults(format="crs-course/1", **changes) == [place]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"patient": None},
        {"policy": {"cpap_grade": 4}},
        {"policy": []},
        {"later_policies": 3},
        {"later_policies": ["x", {"from": AT}]},
        {"entries": None},
        {"entries": [7, {"kind": 7}, {"kind": "judgement"}, {"kind": "lab", "analyte": 3}]},
        {"entries": [{"kind": "oxygen", "device": "cpap"}, {"kind": "death"}]},
    ],
)
def test_nothing_else_needs_it_however_faulty(changes: Raw) -> None:
    assert not needs_format_2(document(**changes))


def read(words: Raw) -> Any:
    return read_entry({"id": "1", "at": AT, **words})


def test_what_is_not_written_has_its_meaning() -> None:
    assert read({**ICE, "score": "7"}) == read({**ICE, "score": 7, "performed": True})
    assert isinstance(read({**CAPD, "score": 7}), Capd)
    seizure: Seizure = read(SEIZURE)
    assert (seizure.duration_minutes, seizure.resolved) == (None, None)
    assert not seizure.repetitive_without_recovery
    assert read({**SEIZURE, "duration_minutes": "0.5"}).duration_minutes == Decimal("0.5")
    oxygen: Oxygen = read({"kind": "oxygen", "device": "cpap"})
    assert oxygen.purpose is OxygenPurpose.HYPOXIA
    admission: Admission = read({"kind": "admission", "setting": "ward"})
    assert admission.because_of_crs is None


@pytest.mark.parametrize(
    ("words", "lowest", "highest", "parts"),
    [
        ({"score": 4}, 4, 4, {}),
        (
            {"orientation": 4, "naming": 3, "commands": 1, "writing": 1, "attention": 1},
            10,
            10,
            None,
        ),
        ({"orientation": 2}, 2, 8, {"orientation": 2}),
        ({"naming": 0, "writing": 1}, 1, 7, {"naming": 0, "writing": 1}),
    ],
)
def test_a_round_has_the_points_that_were_asked(
    words: Raw, lowest: int, highest: int, parts: Raw | None
) -> None:
    entry: Ice = read({**ICE, **words})
    assert (entry.lowest, entry.highest) == (lowest, highest)
    assert entry.parts == (words if parts is None else parts)


@pytest.mark.parametrize(
    ("words", "causes"),
    [
        ({}, ("crs",)),
        ({"attribution": "uncertain"}, ("crs",)),
        ({"attribution": "other"}, ()),
        ({"due_to": ["icans"], "attribution": "other"}, ("icans",)),
        ({"due_to": ["iec_hs"]}, ("iec_hs",)),
    ],
)
def test_the_causes_of_a_death(words: Raw, causes: tuple[str, ...]) -> None:
    death: Death = read({"kind": "death", **words})
    assert death.causes == tuple(DeathCause(one) for one in causes)


@pytest.mark.parametrize("words", [words for words, _ in NEW])
def test_an_entry_written_in_words_is_read_again_as_the_same(words: Raw) -> None:
    entry = read(words)
    assert from_words(to_words(entry)) == entry
    assert read_entry(to_words(entry)) == entry

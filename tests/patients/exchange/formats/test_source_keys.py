"""Keys of which only the entry is known: a correction of one part leaves the rest of the entry."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from patients.exchange.formats.context import KnownKey
from patients.exchange.formats.convert import convert
from patients.exchange.formats.fhir_read import read_bundle
from tests.patients.exchange.formats.fhir_documents import (
    AT,
    Resource,
    bundle,
    component,
    context,
    device,
    measured,
    observation,
)

NOW = datetime.fromisoformat("2026-03-02T18:00:00+01:00")
VITALS = {"kind": "vitals", "temperature_c": "38", "systolic_mmhg": "100", "diastolic_mmhg": "60"}
OXYGEN = {"kind": "oxygen", "device": "nasal_cannula", "flow_l_per_min": "2"}
AMENDED = {"status": "amended", "meta": {"versionId": "2"}}
RETRACTED = {"status": "entered-in-error"}
PRESSURE = {"systolic_mmhg": "100", "diastolic_mmhg": "60"}

CASES: list[tuple[str, dict[str, str], Resource, dict[str, Any]]] = [
    ("a temperature", VITALS, measured("8310-5", "39", "Cel", **AMENDED),
     {"kind": "vitals", "temperature_c": "39", **PRESSURE}),
    ("a temperature in the other unit", VITALS, measured("8310-5", "102.2", "[degF]", **AMENDED),
     {"kind": "vitals", "temperature_f": "102.2", **PRESSURE}),
    ("a temperature taken back", VITALS, observation("8310-5", **RETRACTED),
     {"kind": "vitals", **PRESSURE}),
    ("one pressure", VITALS, measured("8480-6", "90", "mm[Hg]", **AMENDED),
     {"kind": "vitals", "temperature_c": "38", "systolic_mmhg": "90", "diastolic_mmhg": "60"}),
    ("a panel, which speaks for all pressures", VITALS,
     observation("85354-9", component=[component("8480-6", "90", "mm[Hg]")], **AMENDED),
     {"kind": "vitals", "temperature_c": "38", "systolic_mmhg": "90"}),
    ("a panel taken back", VITALS, observation("85354-9", **RETRACTED),
     {"kind": "vitals", "temperature_c": "38"}),
    ("a flow taken back", OXYGEN, observation("3151-8", **RETRACTED),
     {"kind": "oxygen", "device": "nasal_cannula"}),
    ("a device", OXYGEN, device("427591007", **AMENDED),
     {"kind": "oxygen", "device": "non_rebreather_mask", "flow_l_per_min": "2"}),
    ("a device with components, which speaks for all", OXYGEN,
     device("427591007", component=[component("3150-0", "60", "%")], **AMENDED),
     {"kind": "oxygen", "device": "non_rebreather_mask", "fio2_percent": "60"}),
]  # fmt: skip


@pytest.mark.parametrize(("charted", "resource", "after"), [case[1:] for case in CASES],
                         ids=[case[0] for case in CASES])  # fmt: skip
def test_a_correction_takes_back_nothing_but_its_part(
    charted: dict[str, str], resource: Resource, after: dict[str, Any]
) -> None:
    course = context().course | {"entries": [{"id": "e1", "at": AT, **charted}]}
    known = context(course=course, known=(KnownKey("Observation/o1", "1", "e1"),))
    converted = convert(read_bundle(bundle(resource).encode(), known), known, NOW)
    assert converted.held == ()
    (entry,) = converted.entries
    assert entry["replaces"] == "e1"
    words = {name: value for name, value in entry.items() if name not in ("id", "recorded_at")}
    assert words == {"at": AT, "replaces": "e1", **after}


def test_a_correction_of_the_only_part_has_nothing_left_to_keep() -> None:
    course = context().course | {"entries": [{"id": "e1", "at": AT, "kind": "vitals",
                                              "temperature_c": "38"}]}  # fmt: skip
    known = context(course=course, known=(KnownKey("Observation/o1", "1", "e1"),))
    document = read_bundle(bundle(observation("8310-5", **RETRACTED)).encode(), known)
    (entry,) = convert(document, known, NOW).entries
    assert (entry["kind"], entry["replaces"]) == ("retraction", "e1")

"""Observations as FHIR writes them, and what is charted of each or why it is not."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from patients.exchange.formats.code_rows import MDC, SNOMED, UCUM
from patients.exchange.formats.exact_json import Exact
from patients.exchange.formats.received import OxygenPart, Signs, Standing, WholeEntry
from tests.patients.exchange.formats.fhir_documents import (
    AT,
    Resource,
    component,
    concept,
    device,
    measured,
    observation,
    quantity,
    read,
    said,
)

ABSENT = {"dataAbsentReason": concept("unknown", "urn:absent")}
ATTRIBUTED = {"extension": [{"url": "urn:crs:attribution", "valueCode": "other"}]}


def lab(analyte: str, value: str, unit: str, **more: str) -> WholeEntry:
    fields = {"analyte": analyte, "value": value, "unit": unit, **more}
    return WholeEntry("lab", fields, f"lab:{analyte}")


PANEL = observation(
    "85354-9",
    component=[component("8480-6", "118", "mm[Hg]"), component("8462-4", "66", "mm[Hg]")],
)
PLACES = {
    "systolic_mmhg": "entry[1].resource.component[0]",
    "diastolic_mmhg": "entry[1].resource.component[1]",
}

CHARTED: list[tuple[str, Resource, object]] = [
    ("a temperature", measured("8310-5", "38.20", "Cel"), Signs({"temperature_c": "38.20"})),
    (
        "a temperature that a binary float cannot hold",
        measured("8310-5", "37.99999999999999999999", "Cel"),
        Signs({"temperature_c": "37.99999999999999999999"}),
    ),
    ("Fahrenheit", measured("8310-5", "100.399", "[degF]"), Signs({"temperature_f": "100.399"})),
    ("an exponent", measured("8867-4", "1.2E+2", "/min"), Signs({"heart_rate": "120"})),
    (
        "a unit as text",
        observation("8310-5", valueQuantity={"value": Exact("38.2"), "unit": "°C"}),
        Signs({"temperature_c": "38.2"}),
    ),
    (
        "a unit whose text differs from its code",
        observation(valueQuantity=quantity("38.2", "Cel") | {"unit": "degrees"}),
        Signs({"temperature_c": "38.2"}),
    ),
    (
        "a unit of a monitor",
        observation(
            code=concept("150364", MDC),
            valueQuantity={"value": Exact("38.2"), "system": MDC, "code": "MDC_DIM_DEGC"},
        ),
        Signs({"temperature_c": "38.2"}),
    ),
    (
        "both codes of SpO2",
        observation(
            code={"coding": concept("2708-6")["coding"] + concept("59408-5")["coding"]},
            valueQuantity=quantity("93", "%"),
        ),
        Signs({"spo2_percent": "93"}),
    ),
    (
        "a pressure panel",
        PANEL,
        Signs({"systolic_mmhg": "118", "diastolic_mmhg": "66"}, places=PLACES),
    ),
    (
        "a pressure by cuff",
        measured("76534-7", "90", "mm[Hg]"),
        Signs({"systolic_mmhg": "90"}, "cuff"),
    ),
    (
        "a pressure by arterial line",
        observation(code=concept("150033", MDC), valueQuantity=quantity("90", "mm[Hg]")),
        Signs({"systolic_mmhg": "90"}, "arterial"),
    ),
    ("a weight in grams", measured("29463-7", "72500", "g"),
     WholeEntry("weight", {"weight_kg": "72.500"}, "weight")),
    ("a device", device("426854004"), OxygenPart("high_flow_nasal_cannula")),
    ("room air", device("LA11849-9", "http://loinc.org"), OxygenPart("room_air")),
    (
        "a tracheostomy mask by our own code",
        device("tracheostomy_mask", "urn:crs:course-file/1#oxygen"),
        OxygenPart("tracheostomy_mask"),
    ),
    ("a flow", measured("3151-8", "2", "L/min"), OxygenPart(None, "2")),
    ("FiO2", measured("3150-0", "40", "%"), OxygenPart(None, None, "40")),
    ("FiO2 as a part of 1", measured("3150-0", "0.4", "1"), OxygenPart(None, None, "40.0")),
    ("FiO2 of a ventilator", measured("19996-8", "100", "%"), OxygenPart(None, None, "100")),
    ("a result", measured("2160-0", "1.10", "mg/dL"), lab("creatinine", "1.10", "mg/dL")),
    (
        "a result of the hospital's own code",
        observation(code=concept("CRE-X", "urn:lab"), valueQuantity=quantity("97", "umol/L")),
        lab("creatinine", "97", "umol/L"),
    ),
    (
        "a result above what was measured",
        observation("1742-6", valueQuantity=quantity("1000", "U/L", comparator=">")),
        lab("alt", "1000", "U/L", comparator=">"),
    ),
    ("an INR without a unit", measured("6301-6", "1.1", None), lab("inr", "1.1", "ratio")),
    ("an INR as a whole number", observation("6301-6", valueInteger=Exact("1")),
     lab("inr", "1", "ratio")),
    (
        "one reference range",
        measured("1742-6", "100", "U/L", referenceRange=[
            {"low": {"value": Exact("7")}, "high": quantity("40", "IU/L")}]),
        lab("alt", "100", "U/L", upper_limit="40", lower_limit="7"),
    ),
    (
        "the normal one of several reference ranges",
        measured("1742-6", "100", "U/L", referenceRange=[
            {"high": quantity("40", "U/L"), "type": concept(
                "normal", "http://terminology.hl7.org/CodeSystem/referencerange-meaning")},
            {"high": quantity("900", "U/L"), "type": concept("critical", "urn:x")}]),
        lab("alt", "100", "U/L", upper_limit="40"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("resource", "content"), [case[1:] for case in CHARTED],
                         ids=[case[0] for case in CHARTED])  # fmt: skip
def test_an_observation_is_charted_as(resource: Resource, content: object) -> None:
    document = read(resource)
    assert [statement.content for statement in document.statements] == [content]
    assert said(document) == []
    assert document.statements[0].at == datetime.fromisoformat(AT)
    assert document.statements[0].standing is Standing.FINAL


REFUSED: list[tuple[str, Resource]] = [
    ("time.future", measured("8310-5", "38", "Cel", effectiveDateTime="2999-12-31T00:00:00Z")),
    ("time.future", measured("8310-5", "38", "Cel", effectiveDateTime="9999-12-31T23:59:59-12:00")),
    ("value.impossible", measured("8310-5", "38", "Cel", effectiveDateTime="1850-01-01T00:00:00Z")),
    ("code.unknown", measured("9999-9", "1", "Cel")),
    ("code.unknown", observation(code={"text": "pulse"}, valueQuantity=quantity("38", "Cel"))),
    ("code.unknown", measured("33959-8", "1", "pg/mL")),
    ("code.unknown", device("371908008")),
    ("code.unknown", device("426294006")),
    ("code.unknown", device("LA9999-9", "http://loinc.org")),
    ("code.unknown", observation("19941-4", valueString="nasal cannula")),
    ("code.unknown", observation(code=concept("336623009", SNOMED))),
    ("code.conflict", observation(
        code={"coding": concept("8310-5")["coding"] + concept("8867-4")["coding"]},
        valueQuantity=quantity("38", "Cel"))),
    ("unit.missing", measured("8310-5", "38.2", None)),
    ("unit.missing", observation("8867-4", valueInteger=Exact("80"))),
    ("unit.unknown", measured("8310-5", "38.2", "K")),
    ("unit.unknown", observation(valueQuantity={"value": Exact("38"), "unit": "C"})),
    ("unit.unknown", measured("8310-5", "38.2", "°C")),
    ("unit.unknown", measured("8480-6", "16", "kPa")),
    ("unit.unknown", observation(
        valueQuantity={"value": Exact("38"), "unit": "Cel", "system": "urn:x", "code": "Cel"})),
    ("code.unit_conflict", measured("2160-0", "97", "umol/L")),
    ("value.impossible", measured("8310-5", "60", "Cel")),
    ("value.impossible", measured("8310-5", "38." + "1" * 40, "Cel")),
    ("value.impossible", measured("8867-4", "-80", "/min")),
    ("value.impossible", measured("1742-6", "-1", "U/L")),
    ("value.impossible", measured("10230-1", "0.55", "%")),
    ("value.impossible", measured("3151-8", "80", "L/min")),
    ("value.impossible", measured("8310-5", "38", "Cel", effectiveDateTime="1066-10-14T09:00:00Z")),
    ("value.impossible", measured("8310-5", "38", "Cel", effectiveDateTime="2019-01-01T09:00:00Z")),
    ("value.missing", observation()),
    ("value.missing", observation(valueQuantity={"unit": "Cel"})),
    ("value.missing", observation("85354-9")),
    ("value.not_numeric", observation("2160-0", valueString="hemolysed")),
    ("value.not_numeric", observation("85354-9", valueString="120/80")),
    ("value.not_numeric", observation(valueCodeableConcept=concept("x"))),
    ("comparator", observation(valueQuantity=quantity("38", "Cel", comparator=">"))),
    ("comparator", observation("1742-6", valueQuantity=quantity("9", "U/L", comparator=">="))),
    ("comparator", observation("29463-7", valueQuantity=quantity("70", "kg", comparator="<"))),
    ("time.missing", measured("8310-5", "38", "Cel", effectiveDateTime=None)),
    ("time.missing", measured("8310-5", "38", "Cel", effectiveDateTime=None, effectivePeriod={})),
    ("time.partial", measured("8310-5", "38", "Cel", effectiveDateTime="2026-03-02")),
    ("time.partial", measured("8310-5", "38", "Cel", effectiveDateTime="2026-03")),
    ("time.period", measured("8310-5", "38", "Cel", effectiveDateTime=None, effectivePeriod={
        "start": AT, "end": "2026-03-02T11:00:00+01:00"})),
    ("status.preliminary", observation(status="registered")),
    ("status.preliminary", measured("8310-5", "38", "K", status="preliminary")),
    ("value.ambiguous", measured("3150-0", "1", "%")),
    ("value.ambiguous", measured("3150-0", "1", "1")),
    ("value.ambiguous", measured("3150-0", "4", "%")),
    ("value.ambiguous", measured("3150-0", "20.9", "{fraction}")),
    ("value.ambiguous", measured("3150-0", "0.4", "%")),
    ("value.impossible", measured("3150-0", "0.2", "%")),
    ("value.impossible", measured("3150-0", "0.2", "1")),
    ("value.impossible", measured("3150-0", "101", "%")),
    ("value.impossible", measured("3150-0", "40", "1")),
    ("unit.missing", measured("3150-0", "40", None)),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "resource"), REFUSED)
def test_an_observation_is_held_with_its_reason(reason: str, resource: Resource) -> None:
    document = read(resource)
    assert document.statements == ()
    assert [item.reason for item in document.held] == [reason]
    assert document.held[0].place == "entry[1].resource"
    assert document.held[0].key == "Observation/o1"


QUANTITY = quantity("38", "Cel")
INVALID: list[Resource] = [
    observation(valueQuantity=QUANTITY, status=None),
    observation(valueQuantity=QUANTITY, status="finished"),
    observation(valueQuantity=QUANTITY, code=None),
    observation(valueQuantity=QUANTITY, valueString="38"),
    observation(valueQuantity=QUANTITY, effectiveInstant=AT),
    observation(valueQuantity=QUANTITY, **ABSENT),
    observation(valueQuantity=QUANTITY | {"value": "38"}),
    observation(valueQuantity=QUANTITY | {"comparator": "~"}),
    observation(valueQuantity={"value": Exact("38"), "code": "Cel"}),
    observation(valueDecimal=Exact("38")),
    observation(valueQuantity=[QUANTITY]),
    observation(valueQuantity=QUANTITY, effectiveDateTime="2026-03-02T10:00:00"),
    observation(valueQuantity=QUANTITY, effectiveDateTime="2026-03-02T10:00+01:00"),
    observation(valueQuantity=QUANTITY, effectiveDateTime="2026-03-02 10:00:00+01:00"),
    observation(valueQuantity=QUANTITY, effectiveDateTime="2026-02-30T10:00:00Z"),
    observation(valueQuantity=QUANTITY, effectiveDateTime="yesterday"),
    observation(valueQuantity=QUANTITY, effectiveDateTime=Exact("2026")),
    observation(valueQuantity=QUANTITY, effectiveDateTime=None, effectivePeriod={
        "start": AT, "end": "2026-03-02T09:00:00+01:00"}),
    observation(valueQuantity=QUANTITY, issued="2026-03-02T10:00:00"),
    observation(valueQuantity=QUANTITY, component={}),
    observation(valueQuantity=QUANTITY, extension=[{"url": "urn:crs:attribution"}]),
    observation("85354-9", component=[component("8480-6", "118", "mm[Hg]") | ABSENT]),
    observation("1742-6", valueQuantity=quantity("9", "U/L"),
                referenceRange=[{"high": {"value": "40"}}]),
    observation("6301-6", valueInteger=Exact("1.5")),
    {"resourceType": "Observatoin", "id": "o1"},
]  # fmt: skip


@pytest.mark.parametrize("resource", INVALID)
def test_what_fhir_does_not_allow_is_held_as_invalid(resource: Resource) -> None:
    document = read(resource)
    assert document.statements == ()
    assert [item.reason for item in document.held] == ["invalid"]


REMARKED: list[tuple[str, Resource]] = [
    ("status.cancelled", measured("8310-5", "38", "Cel", status="cancelled")),
    ("data.absent", observation(**ABSENT)),
    ("resource.unmapped", {"resourceType": "Encounter", "status": "finished"}),
    ("resource.unmapped", {"resourceType": "Condition", "subject": {"reference": "Patient/p1"}}),
]


@pytest.mark.parametrize(("reason", "resource"), REMARKED)
def test_what_needs_nobody_is_remarked(reason: str, resource: Resource) -> None:
    document = read(resource)
    assert (document.statements, document.held) == ((), ())
    assert [item.reason for item in document.remarks] == [reason]


PASSED: list[Resource] = [
    observation(code=concept("lee-2014", "urn:crs:course-file/1#grade"), valueInteger=Exact("2")),
    {"resourceType": "GuidanceResponse", "status": "success"},
    {"resourceType": "Provenance"},
    {"resourceType": "Device"},
    {"resourceType": "Practitioner"},
    {"resourceType": "EpisodeOfCare", "patient": {"reference": "Patient/p1"}},
    {"resourceType": "Procedure", "status": "completed", "code": {"text": "CAR-T"},
     "subject": {"reference": "Patient/p1"}},
    observation("85353-1", hasMember=[{"reference": "Observation/o2"}]),
    observation("85354-9", hasMember=[{"reference": "Observation/o2"}]),
]  # fmt: skip


@pytest.mark.parametrize("resource", PASSED)
def test_grades_and_who_did_it_are_passed_without_a_word(resource: Resource) -> None:
    document = read(resource)
    assert (document.statements, document.held, document.remarks) == ((), (), ())


def test_what_is_wrong_with_a_component_is_held_and_the_rest_is_charted() -> None:
    pressures = [component("8480-6", "900", "mm[Hg]"), component("8478-0", "55", "mm[Hg]"),
                 {"code": concept("8462-4"), **ABSENT}]  # fmt: skip
    document = read(observation("85354-9", component=pressures))
    (statement,) = document.statements
    assert statement.content == Signs(
        {"mean_arterial_pressure_mmhg": "55"},
        places={"mean_arterial_pressure_mmhg": "entry[1].resource.component[1]"},
    )
    assert said(document) == ["data.absent .component[2]", "value.impossible .component[0]"]


def test_where_no_component_can_be_charted_each_is_held() -> None:
    pressures = [component("8480-6", "16", "kPa"), component("8462-4", "9", "kPa")]
    document = read(observation("85354-9", component=pressures))
    assert document.statements == ()
    assert said(document) == ["unit.unknown .component[0]", "unit.unknown .component[1]"]


def test_two_values_of_one_sign_in_one_resource_are_both_held() -> None:
    pressures = [component("8480-6", number, "mm[Hg]") for number in ("88", "118", "88")]
    document = read(observation("85354-9", component=pressures))
    assert document.statements == ()
    places = [item.place.removeprefix("entry[1].resource") for item in document.held]
    assert sorted(places) == [".component[0]", ".component[1]", ".component[2]"]
    assert {item.reason for item in document.held} == {"duplicate.conflict"}
    equal = [component("8480-6", number, "mm[Hg]") for number in ("88", "88.0")]
    assert len(read(observation("85354-9", component=equal)).statements) == 1


def test_a_device_is_charted_with_its_flow_and_without_an_fio2_that_cannot_be_read() -> None:
    parts = [component("3151-8", "6", "L/min"), component("3150-0", "4", "%")]
    document = read(device("427591007", component=parts))
    content = document.statements[0].content
    assert isinstance(content, OxygenPart)
    assert (content.device, content.flow_l_per_min, content.fio2_percent) == (
        "non_rebreather_mask", "6", None,
    )  # fmt: skip
    assert said(document) == ["value.ambiguous .component[1]"]


def test_a_code_that_may_be_several_devices_proposes_one() -> None:
    (held,) = read(device("371908008")).held
    assert held.proposal == {"kind": "oxygen", "at": AT, "device": "simple_mask"}
    assert read(device("426294006")).held[0].proposal is None


def test_saturation_with_a_flow_makes_two_statements_with_a_key_each() -> None:
    document = read(measured("59408-5", "93", "%", component=[component("3151-8", "2", "L/min")]))
    assert [(found.source.key, type(found.content)) for found in document.statements] == [
        ("Observation/o1", Signs),
        ("Observation/o1#oxygen", OxygenPart),
    ]


AMBIGUOUS_RANGES: list[list[dict[str, Any]]] = [
    [{"high": quantity("40", "U/L")}, {"high": quantity("55", "U/L")}],
    [{"high": quantity("40", "ukat/L")}],
    [{"text": "up to 40"}],
    [{"high": quantity("40", "U/L"), "type": concept("critical", "urn:x")}],
    [{"high": quantity("0", "U/L")}],
    [{"low": quantity("7", "g/L"), "high": quantity("40", "U/L")}],
    [{"high": quantity("40", "U/L", comparator="<")}],
]


@pytest.mark.parametrize("ranges", AMBIGUOUS_RANGES)
def test_limits_that_are_not_clear_are_left_out_with_a_remark(ranges: list[Any]) -> None:
    document = read(measured("1742-6", "100", "U/L", referenceRange=ranges))
    assert document.statements[0].content == lab("alt", "100", "U/L")
    assert said(document) == ["range.ambiguous"]


def test_limits_in_another_unit_of_the_same_analyte_are_left_out() -> None:
    ranges = [{"high": quantity("97", "umol/L")}]
    document = read(measured("2160-0", "1.1", "mg/dL", referenceRange=ranges))
    assert document.statements[0].content == lab("creatinine", "1.1", "mg/dL")
    assert said(document) == ["range.ambiguous"]


NOTES = [
    ("10839-9", "0.5", "ng/mL", "troponin I"),
    ("67151-1", "14", "ng/L", "troponin T"),
    ("48065-7", "500", "ng/mL{FEU}", "FEU"),
    ("48066-5", "250", "ng/mL{DDU}", "DDU"),
]


@pytest.mark.parametrize(("code", "number", "unit", "note"), NOTES)
def test_what_the_chart_has_one_word_for_goes_to_the_note(
    code: str, number: str, unit: str, note: str
) -> None:
    assert read(measured(code, number, unit)).statements[0].note == note


def test_an_attribution_is_read_from_the_resource_or_from_a_component() -> None:
    one = measured("8310-5", "101", "[degF]", **ATTRIBUTED)
    assert read(one).statements[0].attribution == {"temperature_c": "other"}
    assert read(device("336623009", **ATTRIBUTED)).statements[0].attribution == "other"
    pressures = [component("8480-6", "80", "mm[Hg]", **ATTRIBUTED),
                 component("8462-4", "50", "mm[Hg]")]  # fmt: skip
    panel = read(observation("85354-9", component=pressures))
    assert panel.statements[0].attribution == {"systolic_mmhg": "other"}


def test_the_unit_of_a_code_system_is_compared_byte_for_byte() -> None:
    kelvin = {"value": Exact("38"), "unit": "Cel", "system": UCUM, "code": "K"}
    assert said(read(observation(valueQuantity=kelvin))) == ["unit.unknown"]


WORDS: list[tuple[Resource, str]] = [
    (measured("8310-5", "38", "K"), 'Body temperature 38 K: its unit "K" is not in the table'),
    (measured("9999-9", "38", "Cel"), '9999-9 38 Cel: "9999-9" is in no table'),
    (observation("2160-0", valueString="hemolysed"),
     "Creatinine [Mass/volume] hemolysed: its value is no number"),
    (observation("8310-5", valueString="a\u202eb"), "Body temperature a<U+202E>b: "),
]  # fmt: skip


@pytest.mark.parametrize(("resource", "words"), WORDS)
def test_what_is_held_says_what_was_sent(resource: Resource, words: str) -> None:
    assert read(resource).held[0].what.startswith(words)

"""Observations of our own code systems, and entries of course files in extensions."""

from __future__ import annotations

from typing import Any

import pytest

from patients.exchange.formats.exact_json import Exact, write_json
from patients.exchange.formats.fhir_read import read_bundle
from patients.exchange.formats.received import Infusion, OxygenPart, Signs, WholeEntry
from tests.patients.exchange.formats.fhir_documents import (
    AT,
    PATIENT,
    Resource,
    bundle,
    component,
    concept,
    context,
    device,
    infusion,
    measured,
    observation,
    quantity,
    read,
    said,
)

ABSENT = {"dataAbsentReason": concept("asked-declined", "urn:absent")}
LATER = "2026-03-02T12:00:00+01:00"


def own(kind: str, word: str, *, format_2: bool = False, **more: Any) -> Resource:
    system = f"urn:crs:course-file/{2 if format_2 else 1}#{kind}"
    return observation(code=concept(word, system), **more)


def entry(kind: str, *, url: str = "urn:crs:entry", at: str = AT, **fields: Any) -> Resource:
    """An extension with an entry of a course file."""
    words = {"kind": kind, "id": "e1", "at": at, **fields}
    return {"url": url, "valueString": write_json(words)}


def extended(resource: Resource, *extensions: Resource) -> Resource:
    return resource | {"extension": list(extensions)}


def whole(kind: str, thing: str, **fields: Any) -> WholeEntry:
    return WholeEntry(kind, fields, thing)


CHARTED: list[tuple[Resource, WholeEntry, str]] = [
    (own("toxicity", "seizure", valueInteger=Exact("3")),
     whole("toxicity", "toxicity:seizure", term="seizure", grade=3), ""),
    (own("symptom", "fatigue", valueBoolean=False),
     whole("symptom", "symptom:fatigue", term="fatigue", present=False), ""),
    (own("judgement", "life_threatening", valueBoolean=True),
     whole("judgement", "judgement:life_threatening", about="life_threatening", present=True), ""),
    (own("judgement", "prolonged_reaction", format_2=True, valueBoolean=True),
     whole("judgement", "judgement:prolonged_reaction", about="prolonged_reaction", present=True),
     ""),
    (own("risk", "older_age", valueBoolean=True), whole("risk", "risk:older_age", older_age=True),
     ""),
    (own("death", "death", valueBoolean=True), whole("death", "death"), ""),
    (own("death", "death"), whole("death", "death"), ""),
    (own("note", "note", note=[{"text": "Sleeps."}]), whole("note", "note:Observation/o1"),
     "Sleeps."),
    (own("not_observed", "not_observed", **ABSENT),
     whole("not_observed", "not_observed", what="vital_signs", reason="refused"), ""),
    (extended(own("ice", "ice", format_2=True), entry("ice", score=Exact("9"))),
     whole("ice", "ice", score="9"), ""),
    (extended(own("admission", "admission", format_2=True),
              entry("admission", setting="icu", note="bed 4")),
     whole("admission", "admission", setting="icu"), "bed 4"),
    (extended(own("death", "death"), entry("death", due_to=["crs"])),
     whole("death", "death", due_to=["crs"]), ""),
]  # fmt: skip


@pytest.mark.parametrize(("resource", "content", "note"), CHARTED)
def test_an_observation_of_our_own_is_charted(
    resource: Resource, content: WholeEntry, note: str
) -> None:
    document = read(resource)
    assert said(document) == []
    assert [(found.content, found.note) for found in document.statements] == [(content, note)]


HELD: list[tuple[str, Resource]] = [
    ("code.unknown", own("toxicity", "sadness", valueInteger=Exact("3"))),
    ("value.missing", own("toxicity", "seizure")),
    ("value.not_numeric", own("toxicity", "seizure", valueString="3")),
    ("value.impossible", own("toxicity", "seizure", valueInteger=Exact("5"))),
    ("value.impossible", own("toxicity", "seizure", valueInteger=Exact("-1"))),
    ("code.unknown", own("symptom", "hunger", valueBoolean=True)),
    ("value.missing", own("symptom", "fatigue")),
    ("value.not_numeric", own("symptom", "fatigue", valueInteger=Exact("1"))),
    ("code.unknown", own("judgement", "sepsis", valueBoolean=True)),
    ("code.unknown", own("risk", "smoking", valueBoolean=True)),
    ("value.impossible", own("death", "death", valueBoolean=False)),
    ("value.missing", own("note", "note")),
    ("value.impossible", own("note", "note", note=[{"text": "a\u202eb"}])),
    ("value.missing", own("ice", "ice", format_2=True)),
    ("value.impossible",
     extended(own("ice", "ice", format_2=True), entry("ice", score=Exact("11")))),
    ("entry.contradiction",
     extended(own("ice", "ice", format_2=True), entry("capd", score=Exact("9")))),
    ("time.missing", own("death", "death", effectiveDateTime=None)),
    ("time.period", own("symptom", "fatigue", valueBoolean=True, effectiveDateTime=None,
                        effectivePeriod={"start": AT, "end": LATER})),
    ("data.absent", own("symptom", "fatigue", **ABSENT)),
    ("code.unknown", own("vitals", "vitals")),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "resource"), HELD)
def test_an_observation_of_our_own_that_cannot_be_charted_is_kept(
    reason: str, resource: Resource
) -> None:
    document = read(resource)
    assert (document.statements, said(document)) == ((), [reason])


TEMPERATURE = measured("8310-5", "38.20", "Cel")
PANEL = observation("85354-9", component=[component("8480-6", "80", "mm[Hg]")])
CREATININE = measured("2160-0", "1.1", "mg/dL")
RATE = {"dosage": {"rateQuantity": quantity("5", "ug/min")}}
BASELINE = CREATININE | {"category": [{"text": "baseline"}]}
NULL = extended(infusion(), entry("vasopressor", drug="norepinephrine", rate=None, unit="ug/min"))

AGREE: list[tuple[Resource, object, str]] = [
    (extended(TEMPERATURE, entry("vitals", temperature_c="38.2", heart_rate=Exact("80"), note="n")),
     Signs({"temperature_c": "38.20"}), "n"),
    (extended(device("336623009", component=[component("3150-0", "40", "%")]),
              entry("oxygen", device="nasal_cannula", fio2_percent="0.4", purpose="hypoxia")),
     OxygenPart("nasal_cannula", None, "40",
                {"fio2_percent": "entry[1].resource.component[0]"}), ""),
    (extended(CREATININE, entry("lab", analyte="creatinine", value="1.10", unit="mg/dL")),
     whole("lab", "lab:creatinine", analyte="creatinine", value="1.1", unit="mg/dL"), ""),
    (extended(BASELINE, entry("baseline", at=LATER, measured_at=AT, creatinine_mg_dl="1.1")),
     whole("baseline", "baseline:creatinine_mg_dl", creatinine_mg_dl="1.1", measured_at=AT), ""),
    (extended(BASELINE, entry("baseline", creatinine_mg_dl="1.1", lvef_percent="60")),
     whole("baseline", "baseline:creatinine_mg_dl", creatinine_mg_dl="1.1"), ""),
    (NULL, Infusion({"drug": "norepinephrine", "rate": None, "unit": "ug/min"}, None), ""),
    (extended(infusion(**RATE), entry("vasopressor", drug="norepinephrine", rate=Exact("5.0"),
                                      unit="ug/min", note="left arm")),
     Infusion({"drug": "norepinephrine", "rate": "5", "unit": "ug/min"}, None), "left arm"),
    (extended(infusion("612865"), entry("treatment", agent="tocilizumab")),
     whole("treatment", "treatment:tocilizumab", agent="tocilizumab"), ""),
]  # fmt: skip


@pytest.mark.parametrize(("resource", "content", "note"), AGREE)
def test_an_entry_that_agrees_gives_its_note(
    resource: Resource, content: object, note: str
) -> None:
    document = read(resource)
    assert said(document) == []
    (statement,) = document.statements
    assert (statement.content, statement.note) == (content, note)
    assert statement.entry is not None
    assert statement.entry["id"] == "e1"


DRUG = {"drug": "norepinephrine", "unit": "ug/min"}
OTHER = {"url": "urn:crs:attribution", "valueCode": "other"}
CONTRADICT: list[Resource] = [
    extended(TEMPERATURE, entry("vitals", temperature_c="38.3")),
    extended(TEMPERATURE, entry("vitals", temperature_f="100.76")),
    extended(TEMPERATURE, entry("vitals", heart_rate="80")),
    extended(TEMPERATURE, entry("vitals", at=LATER, temperature_c="38.2")),
    extended(TEMPERATURE, entry("vitals", at="noon", temperature_c="38.2")),
    extended(TEMPERATURE, entry("vitals", temperature_c="38.2", attribution="other")),
    extended(TEMPERATURE, OTHER, entry("vitals", temperature_c="38.2")),
    extended(TEMPERATURE, entry("weight", temperature_c="38.2")),
    extended(TEMPERATURE, {"url": "urn:crs:entry", "valueString": "{"}),
    extended(TEMPERATURE, {"url": "urn:crs:entry", "valueString": "[]"}),
    extended(TEMPERATURE, {"url": "urn:crs:entry"}),
    extended(PANEL, entry("vitals", systolic_mmhg="80", diastolic_mmhg="50")),
    extended(device("336623009"), entry("oxygen", device="nasal_cannula", flow_l_per_min="2")),
    extended(device("336623009"), entry("oxygen", device="venturi_mask")),
    extended(CREATININE, entry("lab", analyte="creatinine", value="1.1", unit="umol/L")),
    extended(CREATININE, entry("lab", analyte="creatinine", value="1.1", unit="mg/dL",
                               upper_limit="1.2")),
    extended(BASELINE, entry("baseline", at=LATER, creatinine_mg_dl="1.1")),
    extended(own("symptom", "fatigue", valueBoolean=True),
             entry("symptom", term="fatigue", present=False)),
    extended(own("note", "note", note=[{"text": "one"}]), entry("note", note="two")),
    extended(infusion(), entry("vasopressor", rate="5", **DRUG)),
    extended(infusion(**RATE), entry("vasopressor", rate=None, **DRUG)),
    extended(infusion(**RATE), entry("vasopressor", rate="6", **DRUG)),
    extended(infusion(**RATE), entry("vasopressor", rate="5", weight_kg="80", **DRUG)),
    extended(infusion("612865"), entry("treatment", agent="tocilizumab", dose_mg="320")),
    extended(infusion(**RATE),
             entry("vasopressor", url="urn:crs:entry-of-stop", rate="0", **DRUG)),
    extended(infusion(effectivePeriod={"start": AT, "end": LATER}, **RATE),
             entry("vasopressor", url="urn:crs:entry-of-stop", rate="0", **DRUG)),
]  # fmt: skip


@pytest.mark.parametrize("resource", CONTRADICT)
def test_an_entry_that_contradicts_its_resource_is_held_and_neither_is_charted(
    resource: Resource,
) -> None:
    document = read(resource)
    assert (document.statements, said(document)) == ((), ["entry.contradiction"])


def test_the_entry_of_a_stop_is_handed_on_with_its_note() -> None:
    stop = entry("vasopressor", url="urn:crs:entry-of-stop", at=LATER, rate="0", note="off", **DRUG)
    period = {"start": AT, "end": LATER}
    (statement,) = read(extended(infusion(effectivePeriod=period, **RATE), stop)).statements
    assert isinstance(statement.content, Infusion)
    assert statement.content.stop_entry is not None
    assert statement.content.stop_entry["note"] == "off"


def test_a_field_of_the_second_format_that_a_component_repeats_is_read_from_the_entry() -> None:
    repeated = {"code": concept("purpose", "urn:crs:course-file/2#oxygen"), "valueString": "x"}
    oxygen = extended(
        device("336623009", component=[repeated]),
        entry("oxygen", device="nasal_cannula", purpose="airway_protection"),
    )
    document = read(oxygen)
    assert said(document) == []
    (statement,) = document.statements
    assert statement.entry is not None
    assert statement.entry["purpose"] == "airway_protection"


def test_a_note_that_no_chart_can_hold_is_held() -> None:
    document = read(extended(TEMPERATURE, entry("vitals", temperature_c="38.2", note="a\x00b")))
    assert (document.statements, said(document)) == ((), ["value.impossible"])


def test_a_patient_marked_as_deceased_is_a_remark_where_no_death_is_stated() -> None:
    deceased = PATIENT | {"deceasedDateTime": AT}
    alone = read_bundle(bundle(patient=deceased).encode(), context())
    assert [(found.reason, found.place) for found in alone.remarks] == [
        ("resource.unmapped", "entry[0].resource.deceased")
    ]
    both = read_bundle(bundle(own("death", "death"), patient=deceased).encode(), context())
    assert both.remarks == ()

"""FHIR documents that are refused whole, and whose patient is recognised."""

from __future__ import annotations

import json
from typing import Any

import pytest

from patients.exchange.formats.exact_json import Exact, write_json
from patients.exchange.formats.fhir_read import read_bundle
from patients.exchange.formats.received import RefusedDocumentError
from tests.patients.exchange.formats.fhir_documents import (
    MRN_SYSTEM,
    PATIENT,
    Resource,
    bundle,
    context,
    measured,
    observation,
)

TEMPERATURE = measured("8310-5", "38.2", "Cel")


def entries(*items: Any, kind: str = "collection") -> str:
    return write_json({"resourceType": "Bundle", "type": kind, "entry": list(items)})


def of(subject: Resource | None, *, patient: Resource = PATIENT) -> str:
    """A Bundle whose Observation has this subject."""
    return bundle(TEMPERATURE | {"subject": subject}, patient=patient)


def person(**changes: Any) -> Resource:
    return PATIENT | changes


OTHER = PATIENT | {"id": "p2", "identifier": [{"system": MRN_SYSTEM, "value": "4712"}]}
REFUSED: list[tuple[str, str, str]] = [
    ("structure", "document", "not JSON"),
    ("structure", "document", '{"resourceType": "Bundle", "type": "collection", "type": "batch"}'),
    ("structure", "document", bundle(TEMPERATURE).replace("38.2", "NaN")),
    ("structure", "document", bundle(TEMPERATURE).replace("38.2", "3" * 61)),
    ("structure", "document", "[" * 61 + "]" * 61),
    ("structure", "resourceType", "[]"),
    ("structure", "resourceType", '"Bundle"'),
    ("structure", "resourceType", "{}"),
    ("structure", "resourceType", '{"resourceType": "Observatoin"}'),
    ("structure", "resourceType", '{"resourceType": 5}'),
    ("structure", "Bundle.type", '{"resourceType": "Bundle"}'),
    ("structure", "Bundle.type", bundle(TEMPERATURE, kind="searchset")),
    ("structure", "Bundle.type", bundle(TEMPERATURE, kind="collected")),
    ("structure", "Bundle.entry", '{"resourceType": "Bundle", "type": "batch", "entry": {}}'),
    ("duplicate", "entry[1].fullUrl", entries(
        {"fullUrl": "urn:x:1", "resource": PATIENT}, {"fullUrl": "urn:x:1", "resource": PATIENT})),
    ("duplicate", "entry[2].resource", bundle(TEMPERATURE, measured("8310-5", "39", "Cel"))),
    ("patient.unknown", "entry[1].resource", bundle(OTHER)),
    ("patient.unknown", "entry[0].resource", bundle(patient=person(identifier=[]))),
    ("patient.unknown", "entry[0].resource", bundle(patient=person(identifier=[
        {"system": "urn:other", "value": "4711"}]))),
    ("patient.unknown", "entry[0].resource", bundle(patient=person(identifier=[
        {"system": MRN_SYSTEM, "value": Exact("4711")}, {"value": "4711"}]))),
    ("patient.unknown", "entry[1].resource.subject", of(None)),
    ("patient.unknown", "entry[1].resource.subject", of({})),
    ("patient.unknown", "entry[1].resource.subject", bundle({"resourceType": "Procedure"})),
    ("patient.unknown", "entry[1].resource.subject", of({"reference": "Patient/p9"})),
    ("patient.unknown", "entry[1].resource.subject", of({"reference": "#p1"})),
    ("patient.unknown", "entry[1].resource.subject", of({"display": "Jana Müller"})),
    ("patient.unknown", "entry[1].resource.subject", of({"reference": "Observation/o1"})),
    ("patient.unknown", "entry[1].resource.subject",
     of({"identifier": {"system": MRN_SYSTEM, "value": "4712"}})),
    ("patient.unknown", "entry[1].resource.subject",
     of({"reference": "Patient/p1", "identifier": {"system": MRN_SYSTEM, "value": "4712"}})),
    ("patient.unknown", "entry[1].resource.subject", bundle(
        {"resourceType": "Condition", "subject": {"reference": "Patient/p2"}})),
    ("patient.contradiction", "entry[0].resource.birthDate",
     bundle(patient=person(birthDate="1980-06-16"))),
    ("patient.contradiction", "entry[0].resource.birthDate",
     bundle(patient=person(birthDate="1981"))),
    ("structure", "entry[0].resource.birthDate", bundle(patient=person(birthDate="15.6.1980"))),
    ("patient.contradiction", "entry[0].resource.name[0].family",
     bundle(patient=person(name=[{"family": "Meier"}]))),
    ("patient.contradiction", "entry[0].resource.name[1].family",
     bundle(patient=person(name=[{"family": "Müller"}, {"family": "Müller-Meier"}]))),
    ("patient.unknown", "entry[0].resource",
     bundle(TEMPERATURE, patient=person(modifierExtension=[{"url": "urn:x"}]))),
    ("patient.unknown", "entry[1].resource.contained[0]", bundle(
        TEMPERATURE | {"contained": [person(implicitRules="urn:x:rules")]})),
    ("invalid", "entry[1].resource", bundle(TEMPERATURE | {"status": "done"}, kind="transaction")),
    ("invalid", "entry[1].resource", entries(
        {"resource": PATIENT}, {"fullUrl": "urn:x:1"}, kind="transaction")),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "place", "document"), REFUSED)
def test_a_document_is_refused_whole(reason: str, place: str, document: str) -> None:
    with pytest.raises(RefusedDocumentError) as refusal:
        read_bundle(document.encode(), context())
    assert (refusal.value.reason, refusal.value.place) == (reason, place)
    assert refusal.value.words
    assert "4712" not in str(refusal.value)


URL = "https://ehr.example/fhir/Patient/p1"
CONTAINED = TEMPERATURE | {"contained": [PATIENT], "subject": {"reference": "#p1"}}
BY_NUMBER = TEMPERATURE | {"subject": {"identifier": {"system": MRN_SYSTEM, "value": " 4711 "}}}
ACCEPTED: list[str] = [
    bundle(TEMPERATURE),
    bundle(TEMPERATURE, kind="batch"),
    bundle(TEMPERATURE, kind="message"),
    bundle(TEMPERATURE, kind="transaction"),
    bundle(TEMPERATURE, TEMPERATURE),
    bundle(TEMPERATURE | {"meta": {"versionId": "1"}},
           measured("8310-5", "39", "Cel", meta={"versionId": "2"})),
    entries({"fullUrl": URL, "resource": PATIENT},
            {"resource": TEMPERATURE | {"subject": {"reference": URL}}}),
    entries({"resource": CONTAINED}),
    entries({"resource": BY_NUMBER}),
    write_json(CONTAINED),
    write_json(BY_NUMBER),
    of({"reference": "Patient/p1/_history/2"}),
    of({"reference": "Patient/p1", "identifier": {"system": "urn:ssn", "value": "1"}}),
    bundle(TEMPERATURE, patient=person(birthDate="1980-06-15")),
    bundle(TEMPERATURE, patient=person(birthDate="1980")),
    bundle(TEMPERATURE, patient=person(name=[{"family": "MUELLER"}])),
    bundle(TEMPERATURE, patient=person(name=[{"family": "Meier", "use": "maiden"}])),
    bundle(TEMPERATURE, patient=person(name=[{"text": "Somebody Else"}])),
]  # fmt: skip


@pytest.mark.parametrize("document", ACCEPTED)
def test_a_document_of_the_patient_is_read(document: str) -> None:
    statements = read_bundle(document.encode(), context()).statements
    assert statements
    assert statements[0].content is not None


@pytest.mark.parametrize(
    ("method", "is_read"),
    [("POST", True), ("PUT", True), ("DELETE", False), ("GET", False), (5, False)],
)
def test_an_entry_that_asks_for_something_else_is_not_charted(method: Any, is_read: bool) -> None:
    """A resource in a DELETE is not one that is so."""
    asked = {"resource": TEMPERATURE, "request": {"method": method, "url": "Observation"}}
    read = read_bundle(entries({"resource": PATIENT}, asked, kind="batch").encode(), context())
    assert len(read.statements) == int(is_read)
    assert [held.reason for held in read.held] == ([] if is_read else ["invalid"])
    if not is_read:
        transaction = entries({"resource": PATIENT}, asked, kind="transaction")
        with pytest.raises(RefusedDocumentError):
            read_bundle(transaction.encode(), context())


def test_one_invalid_resource_is_held_and_the_rest_is_read() -> None:
    document = entries(
        {"resource": PATIENT}, 5, {"resource": {"resourceType": "Foo"}}, {"resource": TEMPERATURE}
    )
    read = read_bundle(document.encode(), context())
    assert [held.place for held in read.held] == ["entry[1].resource", "entry[2].resource"]
    assert [found.source.place for found in read.statements] == ["entry[3].resource"]


def test_a_transaction_with_a_held_resource_is_read() -> None:
    document = bundle(measured("8310-5", "38", "K"), kind="transaction")
    assert [held.reason for held in read_bundle(document.encode(), context()).held] == [
        "unit.unknown"
    ]


def test_a_document_without_resources_states_nothing() -> None:
    assert read_bundle(entries().encode(), context()).statements == ()


def test_a_course_without_a_birth_date_contradicts_none() -> None:
    course = context().course | {"patient": {"mrn": "4711", "age_years": Exact("45")}}
    named = person(birthDate="1911-01-01", name=[{"family": "Meier"}])
    assert read_bundle(
        bundle(TEMPERATURE, patient=named).encode(), context(course=course)
    ).statements


def test_an_own_resource_alone_has_its_type_as_place() -> None:
    alone = json.loads(write_json(observation(contained=[PATIENT], subject={"reference": "#p1"})))
    assert read_bundle(write_json(alone).encode(), context()).held[0].place == "Observation"

"""A resource whose meaning an unknown modifier may change is held, and nothing of it is charted."""

from __future__ import annotations

from typing import Any

import pytest

from patients.exchange.formats.code_rows import RXNORM, SNOMED
from patients.exchange.formats.exact_json import write_json
from patients.exchange.formats.fhir_read import read_bundle
from patients.exchange.formats.received import Document
from tests.patients.exchange.formats.fhir_documents import (
    AT,
    PATIENT,
    Resource,
    bag,
    bundle,
    component,
    concept,
    context,
    infusion,
    measured,
    observation,
    quantity,
    read,
)

NEGATED = [{"url": "urn:x:negated", "valueBoolean": True}]
RATE = {"rateQuantity": quantity("5", "ug/min")}
PRESSURE = component("8480-6", "80", "mm[Hg]")
CANNULA = {
    "resourceType": "Procedure",
    "id": "c1",
    "status": "in-progress",
    "code": concept("371907003", SNOMED),
    "subject": {"reference": "Patient/p1"},
    "performedDateTime": AT,
}
MEDICATION = {"resourceType": "Medication", "id": "m", "code": concept("7512", RXNORM)}
REFERRED = infusion(
    medicationCodeableConcept=None, medicationReference={"reference": "Medication/m"}, dosage=RATE
)
BAG = bag("7512", quantity("4", "mg"), quantity("250", "mL"))["contained"][0]

MODIFIED: list[Resource] = [
    measured("8310-5", "39.2", "Cel", modifierExtension=NEGATED),
    measured("8310-5", "39.2", "Cel", implicitRules="urn:x:rules"),
    measured("8310-5", "39.2", "Cel", status="preliminary", modifierExtension=NEGATED),
    measured("8310-5", "39.2", "Cel", status="entered-in-error", modifierExtension=NEGATED),
    observation("85354-9", component=[PRESSURE, PRESSURE | {"modifierExtension": NEGATED}]),
    measured("1975-2", "4", "mg/dL", referenceRange=[{"modifierExtension": NEGATED}]),
    infusion(dosage=RATE, modifierExtension=NEGATED),
    infusion(dosage=RATE | {"modifierExtension": NEGATED}),
    infusion(dosage=RATE, status="not-done", implicitRules="urn:x:rules"),
    infusion(
        contained=[BAG | {"modifierExtension": NEGATED}],
        medicationCodeableConcept=None,
        medicationReference={"reference": "#bag"},
        dosage=RATE,
    ),
    CANNULA | {"modifierExtension": NEGATED},
]


@pytest.mark.parametrize("resource", MODIFIED)
def test_a_resource_with_a_modifier_is_held(resource: Resource) -> None:
    document = read(resource)
    assert document.statements == ()
    (held,) = document.held
    assert (held.reason, held.place) == ("code.unknown", "entry[1].resource")
    assert held.key == f"{resource['resourceType']}/{resource['id']}"
    assert held.at is not None
    assert "may change what it means" in held.what


def test_a_modifier_of_what_is_referred_to_holds_what_refers_to_it() -> None:
    (statement,) = read(REFERRED, MEDICATION).statements
    assert statement.content is not None
    for changes in ({"modifierExtension": NEGATED}, {"status": "entered-in-error"}):
        document = read(REFERRED, MEDICATION | changes)
        assert (document.statements, document.held[0].reason) == ((), "code.unknown")


def test_a_modifier_of_an_entry_or_a_bundle_holds_what_is_in_it() -> None:
    first, second = measured("8310-5", "39.2", "Cel"), measured("8867-4", "120", "/min", id="o2")
    entries = [{"resource": one} for one in (PATIENT, first, second)]
    words = {"resourceType": "Bundle", "type": "collection"}
    one_entry = [*entries[:2], entries[2] | {"modifierExtension": NEGATED}]
    read_one = read_bundle(write_json(words | {"entry": one_entry}).encode(), context())
    assert [one.source.key for one in read_one.statements] == ["Observation/o1"]
    assert [held.key for held in read_one.held] == ["Observation/o2"]
    of_all = write_json(words | {"implicitRules": "urn:x:rules", "entry": entries})
    read_none = read_bundle(of_all.encode(), context())
    assert (len(read_none.statements), len(read_none.held)) == (0, 2)


def test_an_observation_about_somebody_else_is_held() -> None:
    """A heart rate of a fetus has the mother as its subject (FHIR R4, Observation.focus)."""
    fetus = [{"reference": "Patient/p1"}, {"reference": "Group/fetus"}]
    (held,) = read(measured("8867-4", "150", "/min", focus=fetus)).held
    assert (held.reason, held.key) == ("code.unknown", "Observation/o1")
    (statement,) = read(measured("8867-4", "90", "/min", focus=fetus[:1])).statements
    assert statement.content is not None
    taken_back = measured("8867-4", "150", "/min", focus=fetus, status="entered-in-error")
    assert read(taken_back).held == ()


def _of_record(*resources: Resource, **changes: Any) -> Document:
    return read_bundle(bundle(*resources, patient=PATIENT | changes).encode(), context())


REPLACED = [{"type": "replaced-by", "other": {"reference": "https://x.example/fhir/Patient/p-7"}}]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"active": False}, "out of use (active is false)"),
        ({"link": REPLACED}, "replaced this record of the patient by Patient/p-7"),
        ({"active": True, "link": [{"type": "replaced-by"}]}, "by another one"),
    ],
)
def test_what_is_sent_for_a_record_out_of_use_is_held(changes: dict[str, Any], words: str) -> None:
    """A retraction too: FHIR R4 has ``active`` and ``link`` as modifiers of a Patient."""
    taken_back = measured("8867-4", "90", "/min", id="o2", status="entered-in-error")
    fever = measured("8310-5", "39.2", "Cel")
    document = _of_record(fever, taken_back, infusion(dosage=RATE), CANNULA, **changes)
    assert document.statements == ()
    assert [held.reason for held in document.held] == ["patient.contradiction"] * 4
    assert all(words in held.what for held in document.held)


def test_a_record_that_holds_is_read() -> None:
    fever = measured("8310-5", "39.2", "Cel")
    replaces = [{"type": "replaces", "other": {"reference": "Patient/p-0"}}, {"type": "seealso"}]
    for changes in ({"active": True}, {"link": replaces}, {"link": None}, {"active": None}):
        assert len(_of_record(fever, **changes).statements) == 1
    by_number = fever | {"subject": {"identifier": PATIENT["identifier"][0]}}
    assert _of_record(by_number, active=False).statements == ()


def test_what_is_nothing_holds_nothing() -> None:
    document = read(measured("8310-5", "39.2", "Cel", modifierExtension=[], implicitRules=None))
    assert (len(document.statements), document.held) == (1, ())
    assert read_bundle(bundle(PATIENT | {"id": "p1"}).encode(), context()).held == ()

"""Small FHIR documents about one patient, for tests of the reader."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from patients.exchange.formats.code_rows import LOINC, RXNORM, SNOMED, UCUM
from patients.exchange.formats.context import Context, Filing, LocalCode, SystemKind
from patients.exchange.formats.exact_json import Exact, write_json
from patients.exchange.formats.fhir_read import read_bundle
from patients.exchange.formats.received import Document

MRN_SYSTEM = "urn:oid:2.999.1.4711"
AT = "2026-03-02T10:00:00+01:00"
Resource = dict[str, Any]

PATIENT: Resource = {
    "resourceType": "Patient",
    "id": "p1",
    "identifier": [{"system": MRN_SYSTEM, "value": "4711"}],
}


def context(**changes: Any) -> Context:
    """The context of an open course of Jana Müller, born 1980-06-15, MRN 4711."""
    course = {
        "format": "crs-course/1",
        "patient": {"mrn": "4711", "name": "Jana Müller", "birth_date": "1980-06-15"},
        "therapy": {"product": "axi-cel", "infused_at": "2026-03-01T10:00:00+01:00"},
        "entries": [],
    }
    values: dict[str, Any] = {
        "course": course,
        "mrn_system": MRN_SYSTEM,
        "timezone": ZoneInfo("Europe/Berlin"),
        "system": "ehr-1",
        "kind": SystemKind.EHR,
        "filing": {"default": Filing.FILE},
        "local_codes": (LocalCode("urn:lab", "CRE-X", analyte="creatinine"),),
    }
    return Context(**(values | changes))


def concept(code: str, system: str = LOINC) -> Resource:
    return {"coding": [{"system": system, "code": code}]}


def quantity(number: str, code: str | None = None, **more: Any) -> Resource:
    """A Quantity of UCUM; without ``code`` it has no unit."""
    unit = {} if code is None else {"unit": code, "system": UCUM, "code": code}
    return {"value": Exact(number), **unit, **more}


def observation(code: str = "8310-5", /, **more: Any) -> Resource:
    """A final Observation at ``AT``; what is None is left out."""
    base: Resource = {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "code": concept(code),
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": AT,
    }
    return {key: value for key, value in (base | more).items() if value is not None}


def measured(code: str, number: str, unit: str | None, /, **more: Any) -> Resource:
    return observation(code, valueQuantity=quantity(number, unit), **more)


def component(code: str, number: str, unit: str | None, /, **more: Any) -> Resource:
    return {"code": concept(code), "valueQuantity": quantity(number, unit), **more}


def device(code: str, system: str = SNOMED, /, **more: Any) -> Resource:
    return observation("19941-4", valueCodeableConcept=concept(code, system), **more)


def infusion(code: str = "7512", system: str = RXNORM, /, **more: Any) -> Resource:
    """A MedicationAdministration that runs from ``AT`` on."""
    base: Resource = {
        "resourceType": "MedicationAdministration",
        "id": "m1",
        "status": "in-progress",
        "medicationCodeableConcept": concept(code, system),
        "subject": {"reference": "Patient/p1"},
        "effectivePeriod": {"start": AT},
    }
    return {key: value for key, value in (base | more).items() if value is not None}


def bag(code: str, numerator: Resource | None, denominator: Resource | None) -> Resource:
    """What an infusion of ``code`` has in place of a code: a contained Medication."""
    strength = {"numerator": numerator, "denominator": denominator}
    ingredient = {
        "itemCodeableConcept": concept(code, RXNORM),
        "strength": {key: value for key, value in strength.items() if value is not None},
    }
    return {
        "contained": [{"resourceType": "Medication", "id": "bag", "ingredient": [ingredient]}],
        "medicationCodeableConcept": None,
        "medicationReference": {"reference": "#bag"},
    }


def bundle(*resources: Resource, kind: str = "collection", patient: Resource = PATIENT) -> str:
    entries = [{"resource": resource} for resource in (patient, *resources)]
    return write_json({"resourceType": "Bundle", "type": kind, "entry": entries})


def read(*resources: Resource, **changes: Any) -> Document:
    """Read a Bundle of the patient and ``resources``."""
    return read_bundle(bundle(*resources).encode(), context(**changes))


def said(document: Document) -> list[str]:
    """The reasons of what is held and remarked, with their places below the first resource."""
    items: list[Any] = [*document.held, *document.remarks]
    items += [found for statement in document.statements for found in statement.details]
    return [
        f"{item.reason} {item.place.removeprefix('entry[1].resource')}".strip() for item in items
    ]

"""FHIR documents as another system sends them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from patients.models import Course

MRN_SYSTEM = "urn:hospital:mrn"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
Json = dict[str, Any]


def patient(course: Course, **changes: Any) -> Json:
    """The patient of the course, as the other system knows it."""
    identifier = [{"system": MRN_SYSTEM, "value": course.patient.mrn}]
    return {"resourceType": "Patient", "id": "p1", "identifier": identifier} | changes


def observation(
    at: datetime, code: str = "8310-5", value: str = "38.20", unit: str = "Cel", **changes: Any
) -> Json:
    """A final Observation of the patient; ``value`` stands in the text as it is written here."""
    found = {
        "resourceType": "Observation",
        "id": changes.pop("id", f"o-{code}"),
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": at.isoformat(),
        "valueQuantity": {"value": f"<<{value}>>", "system": UCUM, "code": unit},
    }
    return {key: one for key, one in (found | changes).items() if one is not None}


def creatinine(at: datetime, value: str = "1.90", **changes: Any) -> Json:
    return observation(at, "2160-0", value, "mg/dL", **changes)


def norepinephrine(at: datetime, rate: str = "5", **changes: Any) -> Json:
    """A running infusion."""
    quantity = {"value": f"<<{rate}>>", "system": UCUM, "code": "ug/min"}
    drug = {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "7512"}
    return {
        "resourceType": "MedicationAdministration",
        "id": "m1",
        "status": "in-progress",
        "medicationCodeableConcept": {"coding": [drug]},
        "subject": {"reference": "Patient/p1"},
        "effectivePeriod": {"start": at.isoformat()},
        "dosage": {"rateQuantity": quantity},
    } | changes


def bundle(*resources: Json, kind: str = "batch", **changes: Any) -> bytes:
    entries = [{"resource": one} for one in resources]
    return text_of({"resourceType": "Bundle", "type": kind, "entry": entries} | changes)


def alone(course: Course, resource: Json) -> bytes:
    """A resource that is sent by itself: its subject is named by the record number."""
    subject = {"identifier": {"system": MRN_SYSTEM, "value": course.patient.mrn}}
    return text_of(resource | {"subject": subject})


def text_of(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document).replace('"<<', "").replace('>>"', "").encode()

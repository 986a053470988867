"""What is charted is found again by FHIR searches, page by page."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement

from crs_app.accounts.models import User
from crs_app.record.models import Event, EventKind
from crs_app.system_doors import door_of
from patients.models import Course
from patients.recording.record import retract_entry
from tests.factories import ago, chart, sending
from tests.patients.exchange import signed
from tests.patients.exchange.fhir_documents import MRN_SYSTEM


@pytest.fixture
def headers(administrator: User) -> dict[str, str]:
    signed.make_system("ehr-1", administrator)
    headers: dict[str, str] = signed.bearer(signed.token("ehr-1"))["headers"]
    return headers


def read(address: str, headers: dict[str, str], **query: Any) -> Any:
    answer = Client().get(address, query, headers=headers)
    assert answer.status_code == 200, answer.content
    Bundle.model_validate_json(answer.content)
    return answer.json()


def resources(document: Any) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in document.get("entry", [])]


def values(document: Any) -> list[float]:
    return [one["valueQuantity"]["value"] for one in resources(document)]


def test_a_patient_is_found_by_the_record_number_alone(
    course: Course, headers: dict[str, str]
) -> None:
    found = read("/fhir/Patient", headers, identifier=f"{MRN_SYSTEM}|{course.patient.mrn}")
    (patient,) = resources(found)
    assert patient["id"] == str(course.patient_id)
    for other in (f"urn:other|{course.patient.mrn}", f"{MRN_SYSTEM}|NOBODY"):
        assert read("/fhir/Patient", headers, identifier=other)["total"] == 0
    for wrong in ({}, {"identifier": course.patient.mrn}, {"name": "OKONKWO"}):
        assert Client().get("/fhir/Patient", wrong, headers=headers).status_code == 400
    events = Event.objects.filter(kind=EventKind.SYSTEM_READ)
    assert events.filter(course_id=course.pk).count() == 1
    body = urlencode({"identifier": f"{MRN_SYSTEM}|{course.patient.mrn}"})
    posted = Client().post(
        "/fhir/Patient/_search",
        body,
        content_type="application/x-www-form-urlencoded",
        headers=headers,
    )
    assert resources(posted.json()) == [patient]
    assert course.patient.mrn not in posted.json()["link"][0]["url"]
    assert events.filter(course_id=course.pk).count() == 2
    door = door_of("/fhir/Patient/_search")
    assert door is not None
    assert door.media_types == {"application/x-www-form-urlencoded"}


def test_observations_are_found_by_code_date_and_last_change(
    course: Course, nurse: User, headers: dict[str, str]
) -> None:
    first = chart(course, nurse, "vitals", ago(hours=3), temperature_c="38.1").entries[0]
    chart(course, nurse, "vitals", ago(hours=2), temperature_c="38.2", heart_rate="101")
    chart(course, nurse, "lab", ago(hours=1), analyte="creatinine", value="1.9", unit="mg/dL")
    after = timezone.now()
    patient = str(course.patient_id)

    def found(**query: Any) -> list[float]:
        return values(read("/fhir/Observation", headers, patient=patient, **query))

    assert found(code="http://loinc.org|8310-5") == [38.1, 38.2]
    assert found(code="8867-4,http://loinc.org|2160-0") == [101, 1.9]
    assert found(code="urn:other|8310-5") == []
    assert found(code="8310-5", date=f"ge{ago(hours=2.5).isoformat()}") == [38.2]
    assert found(code="8310-5", date=f"lt{ago(hours=2.5).isoformat()}") == [38.1]
    day = first.at.astimezone(tz=None).date()
    assert found(code="2160-0", date=f"gt{day + timedelta(days=2)}") == []
    for begins in (f"{first.at:%Y}", f"{first.at:%Y-%m}", f"{first.at:%Y-%m-%d}"):
        for prefix, is_found in (("", True), ("ge", True), ("le", True), ("gt", False)):
            in_span = found(code="8310-5", date=f"{prefix}{begins}")
            assert (38.1 in in_span) is is_found, prefix + begins
    counted = read("/fhir/Observation", headers, patient=patient, code="8310-5", _count="0")
    assert (counted["total"], "entry" in counted) == (2, False)
    assert found(code="8310-5", _lastUpdated=f"ge{after.isoformat()}") == []
    # A sign that was taken back is news, though it was charted before.
    retract_entry(first, sending(nurse, answers={"reason": "misread"}))
    (news,) = resources(
        read(
            "/fhir/Observation", headers, patient=f"Patient/{patient}", code="8310-5",
            _lastUpdated=f"ge{after.isoformat()}",
        )
    )  # fmt: skip
    assert (news["status"], news["valueQuantity"]["value"]) == ("entered-in-error", 38.1)
    assert news["subject"] == {"reference": f"Patient/{patient}"}


def test_a_search_is_read_page_by_page_and_misses_nothing(
    course: Course, nurse: User, headers: dict[str, str]
) -> None:
    for number in range(5):
        chart(course, nurse, "vitals", ago(minutes=60 - number), heart_rate=str(90 + number))
    query = {"patient": str(course.patient_id), "code": "8867-4", "_count": "2"}
    page, rates = read("/fhir/Observation", headers, **query), []
    while True:
        rates += values(page)
        following = [one["url"] for one in page["link"] if one["relation"] == "next"]
        if not following:
            break
        if len(rates) == 2:  # charted meanwhile, of an earlier time
            chart(course, nurse, "vitals", ago(minutes=90), heart_rate="80")
        page = read(following[0].removeprefix("http://testserver"), headers)
    assert rates == [90, 91, 92, 93, 94, 80]


def test_infusions_and_everything_of_a_patient_are_read(
    course: Course, nurse: User, headers: dict[str, str]
) -> None:
    chart(course, nurse, "vasopressor", ago(minutes=9), drug="norepinephrine", rate="5",
          unit="ug/min")  # fmt: skip
    found = read("/fhir/MedicationAdministration", headers, patient=str(course.patient_id))
    (infusion,) = resources(found)
    assert infusion["dosage"]["rateQuantity"]["value"] == 5
    whole = read(f"/fhir/Patient/{course.patient_id}/$everything", headers)
    kinds = {one["resourceType"] for one in resources(whole)}
    assert kinds >= {"Patient", "Observation", "MedicationAdministration", "Provenance"}
    assert "urn:uuid:" not in str(whole)
    nobody = f"/fhir/Patient/{uuid.uuid4()}/$everything"
    assert Client().get(nobody, headers=headers).status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"patient": "4471"},
        {"patient": "{patient}", "date": "yesterday"},
        {"patient": "{patient}", "date": "2026-13-01"},
        {"patient": "{patient}", "_count": "-1"},
        {"patient": "{patient}", "_count": ""},
        {"patient": "{patient}", "code": ""},
        {"patient": "{patient}", "date": "2026-W49-1"},
        {"patient": "{patient}", "date": "2026-13"},
        {"patient": "{patient}", "date": "ge2026-11-30T10Z"},
        {"patient": "{patient}", "date": "2026-11-30T10:00:00Z\0"},
        {"patient": "{patient}", "_count": "many"},
        {"patient": "{patient}", "code": "http://loinc.org|"},
        {"patient": "{patient}", "category": "vital-signs"},
        {"patient": ["{patient}", "{patient}"]},
    ],
)
def test_a_search_that_is_not_understood_is_refused(
    query: dict[str, Any], course: Course, headers: dict[str, str]
) -> None:
    named = str(course.patient_id)
    sent = {
        name: [one.format(patient=named) for one in ([text] if isinstance(text, str) else text)]
        for name, text in query.items()
    }
    answer = Client().get("/fhir/Observation", sent, headers=headers)
    assert (answer.status_code, answer.json()["resourceType"]) == (400, "OperationOutcome")


def test_what_the_endpoints_can_do_is_open_to_everybody() -> None:
    answer = Client().get("/fhir/metadata")
    statement = CapabilityStatement.model_validate_json(answer.content)
    assert statement.fhirVersion == "4.0.1"
    for accept in ("text/html", "application/fhir+xml", "application/fhir+json;q=0"):
        assert Client().get("/fhir/metadata", headers={"Accept": accept}).status_code == 406
    assert Client().post("/fhir/metadata").status_code == 405


@pytest.mark.parametrize("address", ["/fhir/Patient", "/fhir/Observation", "/fhir/Encounter"])
def test_nothing_is_read_without_the_scope(address: str, administrator: User) -> None:
    signed.make_system("lab-1", administrator)
    token = signed.token("lab-1", scope="system/Observation.c")
    answer = Client().get(address, headers=signed.bearer(token)["headers"])
    assert answer.status_code == (404 if address.endswith("Encounter") else 403)
    assert Client().get(address).status_code == 401

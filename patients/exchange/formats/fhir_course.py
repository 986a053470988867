"""The patient and the course as FHIR R4: Patient, Procedure, EpisodeOfCare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from grading.course_file import CourseDocument
from patients.exchange.formats.charted import ChartRecord
from patients.exchange.formats.fhir_written_parts import (
    AGE_YEARS,
    COURSE,
    Ids,
    Json,
    concept,
    extension,
    identifier_type,
    number,
    time_text,
    without_empty,
    words_text,
)
from patients.exchange.formats.fhir_written_parts import period as period_of

_OF_THE_COURSE: Final = ("baseline", "weight_kg", "policy", "later_policies")


def patient_resource(
    course: CourseDocument, patient_id: str, mrn_system: str, died_at: datetime | None
) -> Json:
    """Return the Patient; an age in years is an extension, never an invented birth date."""
    patient = course.patient
    age = [] if patient.age_years is None else [
        extension(AGE_YEARS, "Decimal", number(patient.age_years))
    ]  # fmt: skip
    mrn = {"type": identifier_type("MR"), "system": mrn_system, "value": patient.mrn}
    return without_empty(
        {
            "resourceType": "Patient",
            "id": patient_id,
            "extension": age,
            "identifier": [mrn] if patient.mrn else [],
            "name": [{"text": patient.name}] if patient.name else [],
            "gender": patient.sex.value,
            "birthDate": None if patient.birth_date is None else patient.birth_date.isoformat(),
            "deceasedDateTime": None if died_at is None else time_text(died_at),
        }
    )


def course_resources(
    course: CourseDocument,
    words: Mapping[str, Any],
    record: ChartRecord,
    patient: Json,
    ids: Ids,
    now: datetime,
) -> Iterator[Json]:
    """Yield the Procedure of the infusion and, where the chart knows a ward, the EpisodeOfCare.

    What a course file says of the course itself (weight and baseline at the start, the policy) is
    an extension of the Procedure, for no reader charts it.
    """
    infused_at = course.facts.infused_at
    facts = {key: words[key] for key in _OF_THE_COURSE if words.get(key)}
    facts |= {"risk": known} if (known := _answered(course)) else {}
    yield without_empty(
        {
            "resourceType": "Procedure",
            "id": ids.of("infusion", time_text(infused_at)),
            "extension": [extension(COURSE, "String", words_text(facts))] if facts else [],
            "status": "completed" if infused_at <= now else "preparation",
            "code": concept(text=course.product or "Immunotherapy"),
            "subject": patient,
            "performedDateTime": time_text(infused_at),
        }
    )
    if record.ward or record.ended_at is not None:
        yield _episode(record, patient, ids, infused_at)


def _answered(course: CourseDocument) -> Json:
    return {question: answer for question, answer in course.risk.items() if answer is not None}


def _episode(record: ChartRecord, patient: Json, ids: Ids, infused_at: datetime) -> Json:
    ended_at = record.ended_at
    # An episode that began with the infusion cannot have ended before it.
    where = ", ".join(filter(None, (record.ward, record.bed)))
    return without_empty(
        {
            "resourceType": "EpisodeOfCare",
            "id": ids.of("episode", record.course_id or time_text(infused_at)),
            "status": "active" if ended_at is None else "finished",
            "patient": patient,
            "managingOrganization": {"display": where} if where else None,
            "period": (
                {"end": time_text(ended_at)}
                if ended_at is not None and ended_at < infused_at
                else period_of(infused_at, ended_at)
            ),
        }
    )

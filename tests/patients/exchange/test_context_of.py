"""Which course a message is about, and what of it is charted there, by the rows of its system."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from crs_app.accounts.models import User
from crs_app.record.models import Event, EventKind
from patients.exchange.context_of import context_of, filing_of
from patients.exchange.fhir_message import fhir_message
from patients.exchange.file import receive
from patients.exchange.formats.context import Filing
from patients.exchange.register import change_system, register_system
from patients.models import Course, ExternalSystem, LocalCode, SystemKind
from patients.recording.join import JoinRequest, join_records, join_token
from tests.factories import admit, ago, end, sending
from tests.patients.exchange.fhir_documents import (
    MRN_SYSTEM,
    bundle,
    creatinine,
    observation,
    patient,
)


@pytest.fixture
def system(db: None) -> ExternalSystem:
    return register_system("ehr-1", SystemKind.EHR, by=None, mrn_system=MRN_SYSTEM)


def sent(system: ExternalSystem, course: Course, **changes: Any) -> Course | None:
    """The course that a temperature of the patient is charted on."""
    raw = bundle(patient(course, **changes), observation(ago(10)))
    found: Course | None = receive(system, fhir_message(raw, MRN_SYSTEM)).message.course
    return found


def test_a_number_counts_in_any_way_of_writing_it(course: Course, system: ExternalSystem) -> None:
    mrn = course.patient.mrn.lower()
    assert mrn != course.patient.mrn
    assert sent(system, course, identifier=[{"system": MRN_SYSTEM, "value": mrn}]) == course


def test_a_joined_record_leads_to_the_one_that_was_kept(
    course: Course, clinician: User, administrator: User, system: ExternalSystem
) -> None:
    double = admit(clinician, name=course.patient.name, product="another", infused_at=ago(hours=9))
    end(double, clinician)
    mrn = double.patient.mrn
    kept, joined = course.patient_id, double.patient_id
    asked = JoinRequest(kept, joined, "one person", join_token(kept, joined))
    join_records(asked, sending(administrator))
    assert sent(system, course, identifier=[{"system": MRN_SYSTEM, "value": mrn}]) == course


def test_of_several_open_courses_the_one_infused_last_takes_it(
    course: Course, clinician: User, system: ExternalSystem
) -> None:
    mrn, name = course.patient.mrn, course.patient.name
    second = admit(clinician, mrn=mrn, name=name, product="second", infused_at=ago(hours=5))
    assert sent(system, course) == second


def test_filing_is_by_kind_by_ward_and_by_what_a_system_may_chart(
    course: Course, system: ExternalSystem, administrator: User
) -> None:
    assert filing_of(system, course) == {"default": Filing.FILE}
    change_system(system, {"may_chart_kinds": ["lab"]}, by=administrator)
    filing = filing_of(system, course)
    assert (filing.get("lab", filing["default"]), filing["vitals"]) == (
        Filing.FILE, Filing.PROPOSE,
    )  # fmt: skip
    raw = bundle(patient(course), observation(ago(10)), creatinine(ago(10)))
    message = receive(system, fhir_message(raw, MRN_SYSTEM)).message
    assert (message.filed, message.held) == (1, 1)
    ward = {str(course.on_ward_id): {"default": "propose"}}
    change_system(system, {"filing_of_wards": ward, "may_chart_kinds": []}, by=administrator)
    assert filing_of(system, course) == {"default": Filing.PROPOSE}
    changes = Event.objects.filter(kind=EventKind.SYSTEM_CHANGED, by=administrator)
    assert changes.count() == 2


def test_a_local_code_holds_from_its_time_on_until_another_row(
    course: Course, system: ExternalSystem, administrator: User
) -> None:
    now = timezone.now()

    def mapped(means: str, minutes: int) -> None:
        at = now if minutes > 0 else ago(-minutes)
        LocalCode.objects.create(
            system=system, coding_system="L", code="CRE-X", about="analyte" if means else "",
            means=means, by=administrator, at=at, valid_from=ago(-minutes),
        )  # fmt: skip

    mapped("creatinine", -60)
    mapped("alt", 60)
    codes = [(one.code, one.analyte) for one in context_of(system, course, now).local_codes]
    assert codes == [("CRE-X", "creatinine")]
    mapped("", -30)
    assert context_of(system, course, now).local_codes == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("timezone", "Europe/Atlantis"),
        ("charset", "latin-99"),
        ("filing", {}),
        ("filing", {"default": "maybe"}),
        ("filing", {"default": "file", "moods": "file"}),
        ("filing_of_wards", {"7B": {"default": "file"}}),
        ("filing_of_wards", {"7": {}}),
        ("may_chart_kinds", ["moods"]),
        ("allowed_addresses", ["10.0.0.300"]),
    ],
)
def test_a_setting_that_is_not_possible_is_refused_by_its_column(
    column: str, value: Any, system: ExternalSystem, administrator: User
) -> None:
    with pytest.raises(ValidationError) as error:
        change_system(system, {column: value}, by=administrator)
    assert list(error.value.message_dict) == [column]


@pytest.mark.parametrize("name", ["", "ehr-1", "EHR-1", "two\nlines", "x" * 61])
def test_a_name_is_one_line_and_nobody_elses(name: str, system: ExternalSystem) -> None:
    with pytest.raises(ValidationError) as error:
        register_system(name, SystemKind.EHR, by=None)
    assert list(error.value.message_dict) == ["name"]

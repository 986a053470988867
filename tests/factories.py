"""Users and courses for tests, recorded through ``patients.recording`` as in the application."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import factory
from django.utils import timezone

from crs_app.accounts.models import Role, User
from crs_app.accounts.wards import let_work_everywhere
from patients.models import Course, Entry, EntryKind, Move
from patients.recording.admit import Admission, admit_patient
from patients.recording.inputs import NewEntry, Submission
from patients.recording.record import RecordingResult, record_entries
from patients.ward.transfer import TransferRequest, location_token, record_transfer

ADULT_BORN = date(1970, 3, 1)


class UserFactory(factory.django.DjangoModelFactory[User]):
    """A ward clinician, who works on every ward."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"nurse-{n}")
    first_name = "Jo"
    last_name = "Ruiz"
    role = Role.WARD_CLINICIAN

    @factory.post_generation
    def wards(self, create: bool, extracted: object, **options: object) -> None:
        let_work_everywhere(cast(User, self))


class AdmissionFactory(factory.Factory[Admission]):
    """An adult infused two days ago."""

    class Meta:
        model = Admission

    mrn = factory.Sequence(lambda n: f"TEST-{n:05}")
    name = "OKONKWO, Ada"
    sex = "female"
    product = "axicabtagene ciloleucel"
    infused_at = factory.LazyFunction(
        lambda: timezone.now().replace(second=0, microsecond=0) - timedelta(days=2)
    )
    ward = "7B"
    bed = "12"
    birth_date = ADULT_BORN


def sending(by: User, **fields: Any) -> Submission:
    """A submission of ``by`` under a new idempotency key."""
    return Submission(by=by, form_id=fields.pop("form_id", uuid.uuid4()), **fields)


def admit(
    by: User,
    *,
    weight_kg: str | None = "80",
    baseline: Mapping[str, str] | None = None,
    **fields: Any,
) -> Course:
    """Admits a patient; charts the weight and, where there is one, the baseline."""
    admission = AdmissionFactory(**fields)
    at = admission.infused_at
    drafts = []
    if weight_kg is not None:
        drafts.append(NewEntry(EntryKind.WEIGHT, at, {"weight_kg": weight_kg}))
    if baseline is not None:
        drafts.append(NewEntry(EntryKind.BASELINE, at, dict(baseline)))
    return admit_patient(admission, drafts, sending(by)).course


def end(course: Course, by: User, at: datetime | None = None) -> None:
    """Ends the course, now or ``at`` a time."""
    _transfer(course, by, Move.ENDED, at or timezone.now())


def reopen(course: Course, by: User) -> None:
    """Reopens the course now."""
    _transfer(course, by, Move.REOPENED, timezone.now(), reason="Fever at home")


def move(course: Course, by: User, *, bed: str, ward: str = "") -> None:
    """Moves the patient to another bed, and to another ward where one is named."""
    _transfer(course, by, Move.MOVED, timezone.now(), ward=ward or course.ward, bed=bed)


def _transfer(course: Course, by: User, what: Move, at: datetime, **more: str) -> None:
    request = TransferRequest(what, at, location_token(course), **more)
    record_transfer(course, request, sending(by))
    course.refresh_from_db()


def correct(entry: Entry, at: datetime, body: Mapping[str, Any], by: Submission) -> RecordingResult:
    """Records a correction of ``entry``."""
    return record_entries(entry.course, [NewEntry(entry.kind, at, body, replaces=entry.pk)], by)


def chart(
    course: Course, by: User, kind: str, at: datetime | None = None, **body: Any
) -> RecordingResult:
    """Records one entry; ``at`` None is a minute ago."""
    when = at if at is not None else timezone.now() - timedelta(minutes=1)
    return record(course, by, [NewEntry(kind, when, body)])


def record(course: Course, by: User, drafts: Sequence[NewEntry], **fields: Any) -> RecordingResult:
    return record_entries(course, drafts, sending(by, **fields))


def ago(minutes: float = 0, *, hours: float = 0) -> datetime:
    return timezone.now() - timedelta(hours=hours, minutes=minutes)


def utc(text: str) -> datetime:
    """An instant from "2026-03-01 12:00", in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)

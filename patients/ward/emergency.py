"""Open a patient of another ward with a reason, for four hours; and list who did."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from crs_app.accounts.models import User
from crs_app.accounts.permissions import check_can_use_emergency_access
from crs_app.record.models import EventKind
from crs_app.record.write import record_event
from patients.display.places import place_text
from patients.display.text import date_time_text
from patients.models import EMERGENCY_ACCESS_LASTS, Course, EmergencyAccess

LISTED = 200
"""How many of the latest the page of administrators lists."""


@dataclass(frozen=True, slots=True)
class AskedAccess:
    """A reason for opening a patient of another ward; ``form_id`` is the idempotency key."""

    reason: str
    words: str
    form_id: uuid.UUID


class FormUsedError(Exception):
    """The form was sent before: for another patient, with another reason or by another user."""


@transaction.atomic
def open_with_reason(course: Course, asked: AskedAccess, by: User) -> EmergencyAccess:
    """Give ``by`` the rights of an own ward for the patient of ``course``, and record why.

    The same form sent again is a replay: it answers as before and records nothing.

    Raises FormUsedError where this form was sent before with other contents or by somebody else.
    """
    check_can_use_emergency_access(by)
    before = EmergencyAccess.objects.filter(form_id=asked.form_id).first()
    if before is None:
        try:
            with transaction.atomic():
                return _recorded(course, asked, by)
        except IntegrityError:  # the same form came twice at once
            before = EmergencyAccess.objects.filter(form_id=asked.form_id).first()
            if before is None:
                raise
    recorded = (before.course_id, before.reason, before.words, before.recorded_by_id)
    if recorded != (course.pk, asked.reason, asked.words, by.pk):
        raise FormUsedError
    return before


def _recorded(course: Course, asked: AskedAccess, by: User) -> EmergencyAccess:
    now = timezone.now()
    access = EmergencyAccess.objects.create(
        course=course,
        form_id=asked.form_id,
        recorded_by=by,
        author_name=by.display_name,
        author_role=by.role,
        ward=course.ward,
        bed=course.bed,
        reason=asked.reason,
        words=asked.words,
        recorded_at=now,
        until=now + EMERGENCY_ACCESS_LASTS,
    )
    record_event(
        EventKind.EMERGENCY_ACCESS,
        by=by,
        course_id=course.pk,
        purpose=f"{access.get_reason_display()}: {access.words}",
        details={
            "place": place_text(access.ward, access.bed),
            "until": date_time_text(access.until),
        },
    )
    return access


def latest_accesses() -> QuerySet[EmergencyAccess]:
    """Query the latest emergency accesses, newest first, each with its patient."""
    accesses = EmergencyAccess.objects.select_related("course__patient", "recorded_by")
    return accesses.order_by("-recorded_at", "-pk")[:LISTED]


def count_in_force(now: datetime) -> int:
    """Count the emergency accesses that have not ended at ``now``."""
    return EmergencyAccess.objects.filter(until__gt=now).count()

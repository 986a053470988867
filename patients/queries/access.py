"""Which courses a user may see, by ward and by emergency access."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from crs_app.accounts.models import User
from crs_app.accounts.permissions import wards_to_read
from patients.models import Course, EmergencyAccess

SQL_OPENED_PATIENTS: Final = """
SELECT opened.patient_id FROM patients_emergencyaccess AS access
JOIN patients_course AS opened ON opened.id = access.course_id
WHERE access.recorded_by_id = %(reader)s AND access.until > %(now)s
"""
"""The patients whom a reader has opened with a reason, and still may."""


def emergency_until(reader: User, course: Course) -> datetime | None:
    """Read when the emergency access of ``reader`` to the patient ends; None without any."""
    in_force = EmergencyAccess.objects.filter(
        recorded_by=reader, until__gt=timezone.now(), course__patient=course.patient_id
    )
    until: datetime | None = in_force.aggregate(last=Max("until"))["last"]
    return until


def in_reach_of(reader: User | None) -> Q:
    """Return the condition on courses that ``reader`` may open now; None may open all."""
    wards = None if reader is None else wards_to_read(reader)
    if wards is None:
        return Q()
    opened: QuerySet[EmergencyAccess, object] = EmergencyAccess.objects.filter(
        recorded_by=reader, until__gt=timezone.now()
    ).values("course__patient")
    return Q(on_ward__in=wards) | Q(patient__in=opened)

"""Table of emergency access: who opened a patient of another ward, when and why."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from crs_app.accounts.models import PEOPLE
from patients.models.charted_times import within_calendar
from patients.models.course import Course

EMERGENCY_ACCESS_LASTS: Final = timedelta(hours=4)


class EmergencyReason(models.TextChoices):
    """Why a patient of another ward is opened."""

    COVERING = "covering", "I am covering for this ward"
    CALLED = "called", "I was called to this patient in an emergency"
    ADVICE = "advice", "I was asked for advice about this patient"
    ARRIVING = "arriving", "This patient is coming to my ward"
    OTHER = "other", "Another reason"


class EmergencyAccess(models.Model):
    """A user opened a patient of another ward with a reason; rows are append-only.

    From ``recorded_at`` until ``until`` the user has the rights of an own ward for the patient of
    ``course``. ``ward`` and ``bed`` are the place at that moment, ``author_name`` and
    ``author_role`` who the user was.
    """

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="+")
    form_id = models.UUIDField(unique=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, db_index=False
    )
    author_name = models.CharField(max_length=310)
    author_role = models.CharField(max_length=20, choices=PEOPLE)
    ward = models.CharField(max_length=60)
    bed = models.CharField(max_length=30, blank=True)
    reason = models.CharField(max_length=20, choices=EmergencyReason)
    words = models.CharField(max_length=300)
    recorded_at = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        verbose_name_plural = "emergency accesses"
        constraints = (
            models.CheckConstraint(
                name="emergency_known_reason", condition=Q(reason__in=EmergencyReason.values)
            ),
            models.CheckConstraint(name="emergency_says_why", condition=~Q(words="")),
            models.CheckConstraint(
                name="emergency_lasts_four_hours",
                condition=Q(until=F("recorded_at") + EMERGENCY_ACCESS_LASTS),
            ),
            models.CheckConstraint(
                name="emergency_in_calendar", condition=within_calendar("recorded_at", "until")
            ),
        )
        indexes = (
            models.Index(name="emergency_in_force", fields=("recorded_by", "until")),
            models.Index(name="emergency_in_order", fields=("-recorded_at",)),
        )

    def __str__(self) -> str:
        return f"{self.author_name} until {self.until:%Y-%m-%d %H:%M}"

"""Tables of patients and their courses of therapy, with ward and bed."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta, timezone
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from grading.engine.times import in_zone
from grading.engine.vocabulary import AT_MOST_AHEAD, Sex
from patients.models.charted_times import within_calendar
from patients.models.identifiers import mrn_key, mrn_look, name_key
from patients.models.policy import PolicyVersion


class Patient(models.Model):
    """A person, known to the hospital by a medical record number.

    ``mrn_key`` is the same for every way to write one number, ``mrn_look`` for numbers that look
    alike, ``name_key`` for every way to write one name. ``developmental_delay`` None is not
    answered. The columns change with a row of ``IdentityCorrection`` alone.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    mrn = models.CharField("MRN", max_length=40, unique=True)
    name = models.CharField(max_length=200)
    birth_date = models.DateField(null=True, blank=True)
    sex = models.CharField(max_length=10, choices=[(sex.value, sex.label) for sex in Sex])
    developmental_delay = models.BooleanField(null=True, blank=True)
    mrn_key = models.TextField(editable=False, default="")
    mrn_look = models.TextField(editable=False, default="", db_index=True)
    name_key = models.TextField(editable=False, default="", db_index=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(name="patient_mrn_key_once", fields=("mrn_key",)),
            models.CheckConstraint(
                name="patient_sex_known_word", condition=Q(sex__in=[sex.value for sex in Sex])
            ),
            models.CheckConstraint(name="patient_mrn_not_empty", condition=~Q(mrn="")),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.mrn})"

    def save(self, **options: Any) -> None:
        """Store the patient; a new one with the keys of its number and name."""
        if self._state.adding:
            self.mrn_key, self.mrn_look = mrn_key(self.mrn), mrn_look(self.mrn)
            self.name_key = name_key(self.name)
        super().save(**options)


class Course(models.Model):
    """One course of immunotherapy of one patient, graded from ``infused_at`` on.

    ``age_years`` is the age at the infusion, where no birth date is known. Ward, bed and
    ``ended_at`` may change; the database refuses any change on which a grade rests, unless it is
    recorded as an ``IdentityCorrection`` or a ``PatientJoin``. Each of these counts
    ``identity_version`` up, so that a save sees that what it read of the course is old.
    ``infused_offset_seconds`` keeps the offset from UTC in which the infusion was charted: ages are
    counted by the calendar there. ``policy`` is that of the admission, ``CoursePolicy`` what
    followed; a course that ``keeps_own_policy`` does not follow the site's.

    ``ward`` is the name of ``on_ward``, in an ended course its name at the end.

    ``last_recorded_at`` is when its latest act was recorded, and ``database_clock`` the time of the
    database then, where ``read_course`` read them.
    ``emergency_until`` is when the emergency access of its reader ends, None where there is none;
    ``requests.course_or_404`` asks where the ward is not an own one.
    """

    last_recorded_at: datetime | None = None
    database_clock: datetime | None = None
    emergency_until: datetime | None = None

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="courses")
    product = models.CharField(max_length=120)
    infused_at = models.DateTimeField()
    infused_offset_seconds = models.IntegerField(default=0)
    age_years = models.DecimalField(max_digits=23, decimal_places=20, null=True, blank=True)
    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT)
    keeps_own_policy = models.BooleanField(default=False)
    ward = models.CharField(max_length=60)
    on_ward = models.ForeignKey("accounts.Ward", on_delete=models.PROTECT, related_name="+")
    bed = models.CharField(max_length=30, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    admitted_at = models.DateTimeField()
    admitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    identity_version = models.PositiveIntegerField(editable=False, default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="course_once_per_infusion", fields=("patient", "product", "infused_at")
            ),
            models.CheckConstraint(
                name="course_age_plausible",
                condition=Q(age_years=None) | Q(age_years__gte=0, age_years__lte=120),
            ),
            # Checks run at each update too, and an old course with an impossible infusion time must
            # still be able to end.
            models.CheckConstraint(
                name="course_infused_in_calendar",
                condition=within_calendar("infused_at") | Q(ended_at__isnull=False),
            ),
        )
        indexes = (
            # The board reads open courses, which in time are a small part of all.
            models.Index(
                name="course_open", fields=("on_ward",), condition=Q(ended_at__isnull=True)
            ),
        )

    def __str__(self) -> str:
        return f"{self.patient_id}: {self.product}"

    @property
    def infused_there(self) -> datetime:
        """The time of the infusion, in the offset in which it was charted."""
        offset = timezone(timedelta(seconds=self.infused_offset_seconds))
        return in_zone(self.infused_at, offset)


class Move(models.TextChoices):
    """Kind of a transfer."""

    MOVED = "moved", "Moved"
    ENDED = "ended", "Ended"
    REOPENED = "reopened", "Reopened"


class Transfer(models.Model):
    """A move of a course to another ward or bed, its end or its reopening, with author and reason.

    ``at`` is when it happened; ``form_id`` is the form's idempotency key. The columns of the course
    have its present place. ``by_emergency``: its author had opened the patient by emergency access.
    """

    course = models.ForeignKey(
        Course, on_delete=models.PROTECT, related_name="transfers", db_index=False
    )
    form_id = models.UUIDField()
    what = models.CharField(max_length=10, choices=Move)
    from_ward = models.CharField(max_length=60)
    from_bed = models.CharField(max_length=30, blank=True)
    to_ward = models.CharField(max_length=60)
    to_bed = models.CharField(max_length=30, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    by_emergency = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(name="transfer_form_once", fields=("course", "form_id")),
            models.CheckConstraint(name="transfer_known_word", condition=Q(what__in=Move.values)),
            models.CheckConstraint(
                name="transfer_not_in_the_future",
                condition=Q(at__lte=F("recorded_at") + AT_MOST_AHEAD),
            ),
            models.CheckConstraint(
                name="transfer_in_calendar", condition=within_calendar("at", "recorded_at")
            ),
        )
        indexes = (models.Index(name="transfer_in_order", fields=("course", "-at")),)

    def __str__(self) -> str:
        return f"{self.what} at {self.at:%Y-%m-%d %H:%M}"

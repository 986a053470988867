"""Tables of corrected identities and joined records. The database refuses any change to them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from patients.models.charted_times import within_calendar
from patients.models.course import Course, Patient


class Fact(models.TextChoices):
    """What a correction of an identity is about."""

    NAME = "name", "Name"
    BIRTH = "birth", "Birth date"
    SEX = "sex", "Sex"
    DELAY = "delay", "Developmental delay"
    MRN = "mrn", "MRN"
    INFUSION = "infusion", "Infusion time"
    PRODUCT = "product", "Product"


class IdentityCorrection(models.Model):
    """A fact of a patient or a course that was corrected, with author, time and reason.

    ``before`` and ``after`` have the columns that changed, by their names; ``course`` is None where
    they are columns of the patient. The rows of one form have one ``form_id``, the form's
    idempotency key. The columns of patient and course have the present values: the database changes
    them only in the transaction that stores such a row. It sets ``transaction_id`` itself.
    """

    form_id = models.UUIDField()
    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="identity_corrections"
    )
    course = models.ForeignKey(
        Course, on_delete=models.PROTECT, null=True, related_name="identity_corrections"
    )
    fact = models.CharField(max_length=10, choices=Fact)
    before = models.JSONField()
    after = models.JSONField()
    reason = models.CharField(max_length=300)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    request_digest = models.CharField(max_length=64, blank=True)
    by_emergency = models.BooleanField(default=False, db_default=False)
    transaction_id = models.BigIntegerField(editable=False, db_default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="identity_form_once",
                fields=("form_id", "patient", "course"),
                nulls_distinct=False,
            ),
            models.CheckConstraint(name="identity_known_word", condition=Q(fact__in=Fact.values)),
            models.CheckConstraint(name="identity_has_reason", condition=~Q(reason="")),
            models.CheckConstraint(
                name="identity_in_calendar", condition=within_calendar("recorded_at")
            ),
        )

    def __str__(self) -> str:
        return f"{self.fact} {self.recorded_at:%Y-%m-%d %H:%M}"


class PatientJoin(models.Model):
    """Two records of one person became one, or with ``undoes`` were parted again.

    The courses of ``joined`` came to ``kept``. ``courses`` lists them, each with the age that was
    charted for it: an undoing gives them back with that.
    """

    form_id = models.UUIDField(unique=True)
    kept = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="joins")
    joined = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="joined_into")
    undoes = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="undone_by"
    )
    courses = models.JSONField()
    reason = models.CharField(max_length=300)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    transaction_id = models.BigIntegerField(editable=False, db_default=0)

    class Meta:
        constraints = (
            models.CheckConstraint(name="join_of_two", condition=~Q(kept=F("joined"))),
            models.CheckConstraint(name="join_has_reason", condition=~Q(reason="")),
            models.CheckConstraint(
                name="join_in_calendar", condition=within_calendar("recorded_at")
            ),
        )

    def __str__(self) -> str:
        return f"{self.joined_id} into {self.kept_id}"

"""Table of the codes of other systems that mean something here; append-only."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from patients.models.charted_times import within_calendar
from patients.models.exchange import ExternalSystem


class CodeMeaning(models.TextChoices):
    """What a local code names; empty text in its place: the code means nothing any more."""

    ANALYTE = "analyte", "Laboratory value"
    SIGN = "sign", "Vital sign"
    DRUG = "drug", "Drug"


class LocalCode(models.Model):
    """What a code of one hospital means, from ``valid_from`` on: a row replaces earlier ones.

    ``coding_system`` and ``code`` are those of the message; ``text`` and ``unit`` what came with
    them when it was mapped, for people. ``about`` and ``means`` say what it is in the words of the
    course file (``analyte``, ``creatinine``); both empty: nothing any more.
    """

    system = models.ForeignKey(ExternalSystem, on_delete=models.PROTECT, related_name="local_codes")
    coding_system = models.CharField(max_length=300, blank=True)
    code = models.CharField(max_length=200)
    text = models.CharField(max_length=300, blank=True)
    unit = models.CharField(max_length=100, blank=True)
    about = models.CharField(max_length=10, choices=CodeMeaning, blank=True)
    means = models.CharField(max_length=60, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    at = models.DateTimeField()
    valid_from = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(name="local_code_named", condition=~Q(code="")),
            models.CheckConstraint(
                name="local_code_means_something_known",
                condition=Q(about="", means="") | (Q(about__in=CodeMeaning.values) & ~Q(means="")),
            ),
            models.CheckConstraint(
                name="local_code_not_for_the_past", condition=Q(valid_from__gte=F("at"))
            ),
            models.CheckConstraint(
                name="local_code_in_calendar", condition=within_calendar("at", "valid_from")
            ),
        )

    def __str__(self) -> str:
        return f"{self.code}: {self.means or 'nothing'}"

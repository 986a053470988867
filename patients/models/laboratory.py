"""The table of limits of normal, remembered for each laboratory."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from grading.engine.vocabulary import Sex
from patients.models.charting import ChartingAct


class LaboratoryLimits(models.Model):
    """Limits of normal as one laboratory reports them for an analyte in a unit, as typed.

    They are proposed for the next patient of the same sex who is a child or an adult alike;
    ``age_years`` is the age of the patient they were charted for. The latest row counts. ""
    where a limit was not reported.
    """

    act = models.ForeignKey(ChartingAct, on_delete=models.PROTECT, related_name="limits")
    laboratory = models.CharField(max_length=60)
    analyte = models.CharField(max_length=20)
    unit = models.CharField(max_length=20)
    sex = models.CharField(max_length=10, choices=[(sex.value, sex.label) for sex in Sex])
    is_child = models.BooleanField()
    age_years = models.PositiveSmallIntegerField()
    lower = models.CharField(max_length=64, blank=True)
    upper = models.CharField(max_length=64, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)

    class Meta:
        verbose_name_plural = "laboratory limits"
        constraints = (
            models.UniqueConstraint(name="limits_once_in_act", fields=("act", "analyte", "unit")),
            models.CheckConstraint(name="limits_of_named_laboratory", condition=~Q(laboratory="")),
            models.CheckConstraint(name="limits_say_something", condition=~Q(lower="", upper="")),
        )
        indexes = (
            models.Index(
                fields=("laboratory", "sex", "is_child", "analyte", "unit", "-recorded_at"),
                name="limits_latest",
            ),
        )

    def __str__(self) -> str:
        return f"{self.laboratory}: {self.analyte} {self.lower or '?'} to {self.upper or '?'}"

"""Table of the exports of cohorts: how far each is. What was exported and why is in the record."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class CohortExport(models.Model):
    """One file of a cohort that is or was sent.

    ``courses`` may belong to it; ``written`` were written, ``left_out`` could not be de-identified.
    ``is_whole`` once the last line was sent; ``ended_at`` without it is a file that was broken off.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    words = models.CharField(max_length=300)
    courses = models.PositiveIntegerField()
    looked_at = models.PositiveIntegerField(default=0)
    written = models.PositiveIntegerField(default=0)
    left_out = models.PositiveIntegerField(default=0)
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    is_whole = models.BooleanField(default=False)

    class Meta:
        indexes = (models.Index(name="cohort_export_of_user", fields=("by", "-begun_at")),)

    def __str__(self) -> str:
        return f"{self.words}, {self.looked_at} of {self.courses}"

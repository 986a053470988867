"""Table of wall screens: browsers that show initials, beds and grades of wards to a whole room."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from patients.models.charted_times import within_calendar

WALL_SCREEN_LASTS: Final = timedelta(days=90)


class WallScreen(models.Model):
    """A browser that shows the wall of ``ward_ids`` while nobody is signed in there.

    It proves itself by a key in a cookie, of which only ``key_digest`` is stored. It works from
    ``started_at`` until ``until``, or until somebody ended it. ``author_name`` and ``author_role``
    say who started it.
    """

    key_digest = models.CharField(max_length=64, unique=True)
    ward_ids = ArrayField(models.BigIntegerField())
    started_at = models.DateTimeField()
    until = models.DateTimeField()
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    author_name = models.CharField(max_length=310)
    author_role = models.CharField(max_length=20)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="wall_screen_lasts_90_days",
                condition=Q(until=F("started_at") + WALL_SCREEN_LASTS),
            ),
            models.CheckConstraint(
                name="wall_screen_ended_by_somebody",
                condition=Q(ended_at=None, ended_by=None)
                | Q(ended_at__isnull=False, ended_by__isnull=False),
            ),
            models.CheckConstraint(
                name="wall_screen_in_calendar", condition=within_calendar("started_at", "until")
            ),
        )
        indexes = (
            models.Index(name="wall_screen_running", fields=("until",), condition=Q(ended_at=None)),
        )

    def __str__(self) -> str:
        return f"wall screen of {self.author_name}, {self.started_at:%Y-%m-%d %H:%M}"

"""Table of the former names of wards, by which a page that was open before finds its ward."""

from __future__ import annotations

from django.db import models

from crs_app.accounts.models import Ward
from crs_app.accounts.ward_models import LONGEST_NAME


class FormerWardName(models.Model):
    """A name that a ward had until ``renamed_at``."""

    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, related_name="former_names")
    name = models.CharField(max_length=LONGEST_NAME)
    renamed_at = models.DateTimeField()

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.name} until {self.renamed_at:%Y-%m-%d %H:%M}"

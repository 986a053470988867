"""Tables of wards, and of which users work on them."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import models

LONGEST_NAME: Final = 60


class Ward(models.Model):
    """A ward. A closed one takes no patient; it stays, because charts name it."""

    name = models.CharField(max_length=LONGEST_NAME, unique=True)
    is_open = models.BooleanField(default=True)

    class Meta:
        app_label = "accounts"
        ordering = ("name",)
        constraints = (
            models.CheckConstraint(name="ward_name_not_empty", condition=~models.Q(name="")),
        )

    def __str__(self) -> str:
        return self.name


class WardMembership(models.Model):
    """A user works on a ward: its patients open without a reason."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, related_name="memberships")

    class Meta:
        app_label = "accounts"
        constraints = (
            models.UniqueConstraint(name="ward_membership_once", fields=("user", "ward")),
        )

    def __str__(self) -> str:
        return f"user {self.user_id} on ward {self.ward_id}"

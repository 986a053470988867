"""Table of who signed in on which shared tablet."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class TabletSignIn(models.Model):
    """A full sign-in of one user on one tablet, to which the user can switch back for 12 hours.

    ``tablet`` is a digest of the tablet's cookie, ``proof`` covers what must not have changed
    since, ``pin`` is a hash ("" where only a full sign-in leads back), and ``wrong_pins`` counts
    those in a row. ``uses`` and ``used_at`` are of the tablet: how often its cookie was used, and
    when last.
    """

    tablet = models.CharField(max_length=64)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="tablets")
    signed_in_at = models.DateTimeField(db_index=True)
    proof = models.CharField(max_length=64)
    pin = models.CharField(max_length=128, default="")
    wrong_pins = models.PositiveSmallIntegerField(default=0)
    uses = models.PositiveIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "accounts"
        constraints = (
            models.UniqueConstraint(
                fields=("tablet", "user"), name="one_sign_in_of_user_on_tablet"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id} on a tablet since {self.signed_in_at}"

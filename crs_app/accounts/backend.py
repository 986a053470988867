"""Django's ModelBackend, which reads the wards of the signed-in user in the same statement."""

from __future__ import annotations

from django.contrib.auth.backends import ModelBackend
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef

from crs_app.accounts.models import User, WardMembership

_WARDS = WardMembership.objects.filter(user=OuterRef("pk")).values("ward_id")


class UserBackend(ModelBackend):
    """ModelBackend whose users know their wards."""

    def get_user(self, user_id: int) -> User | None:
        """Return the user as stored now; None for one who is unknown or no longer active."""
        user = User.objects.annotate(in_wards=ArraySubquery(_WARDS)).filter(pk=user_id).first()
        if user is None:
            return None
        user.ward_ids = frozenset(vars(user).pop("in_wards"))
        return user if self.user_can_authenticate(user) else None

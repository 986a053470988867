"""Which users the hospital's sign-in can name, and the identity to which each is linked."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Q, QuerySet

from crs_app.accounts.models import HospitalIdentity, Role, User
from crs_app.hospital_sign_in import HospitalSignIn


def identities() -> QuerySet[HospitalIdentity]:
    """Return the links to the provider of the settings; none where they name none."""
    configured: HospitalSignIn | None = settings.HOSPITAL_SIGN_IN
    if configured is None:
        return HospitalIdentity.objects.none()
    return HospitalIdentity.objects.filter(issuer=configured.issuer)


def nameable() -> Q:
    """Return the condition of users whom a claim of the provider can name."""
    configured: HospitalSignIn | None = settings.HOSPITAL_SIGN_IN
    if configured is None:
        return Q(pk__in=())
    return ~Q(**{configured.matches: ""})


def is_nameable(user: User) -> bool:
    """Return whether a claim of the provider can name the user."""
    configured: HospitalSignIn | None = settings.HOSPITAL_SIGN_IN
    is_named = configured is not None and bool(getattr(user, configured.matches))
    return is_named and user.role != Role.SYSTEM


def needs_address() -> bool:
    """Return whether the provider names users by an e-mail address, which must stand here too."""
    configured: HospitalSignIn | None = settings.HOSPITAL_SIGN_IN
    return configured is not None and configured.matches == "email"


def signs_in_there_alone(user: User) -> bool:
    """Return whether a password would be a new way in, past the hospital's sign-in."""
    return not user.has_usable_password() and identities().filter(user=user).exists()


def forget(user: User) -> bool:
    """Forget the user's link; return whether there was one."""
    return bool(identities().filter(user=user).delete()[0])

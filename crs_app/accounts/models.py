"""People who use the system, and the count of failed sign-ins."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, Self

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.utils.crypto import salted_hmac

from crs_app.accounts.ward_models import Ward, WardMembership

__all__ = (
    "CLINICIANS", "Role", "SignInThrottle", "User", "Ward", "WardMembership", "display_name_of",
)  # fmt: skip


class Role(models.TextChoices):
    """Role of a user; `permissions` defines what each may do."""

    WARD_CLINICIAN = "ward_clinician", "Ward clinician"
    ICU_REVIEWER = "icu_reviewer", "ICU reviewer"
    ADMINISTRATOR = "administrator", "Administrator"
    AUDITOR = "auditor", "Auditor"


CLINICIANS: Final = frozenset({Role.WARD_CLINICIAN, Role.ICU_REVIEWER})
"""Roles that work on wards."""


def display_name_of(username: str, first_name: str, last_name: str) -> str:
    """Return how an author is named: "J. Ruiz"; the username where there is no last name."""
    if not last_name:
        return username
    return f"{first_name[:1]}. {last_name}" if first_name else last_name


_WARDS: Final = "_ward_ids"
"""The attribute of a user that keeps the wards which were read with the user."""


class PeopleManager(UserManager["User"]):
    """Django's manager, which reads the wards of a user in the statement that reads the user."""

    use_in_migrations = False

    def get_queryset(self) -> models.QuerySet["User"]:
        wards = WardMembership.objects.filter(user=models.OuterRef("pk")).values("ward_id")
        return super().get_queryset().annotate(**{_WARDS: ArraySubquery(wards)})

    def create_superuser(self, *args: Any, **fields: Any) -> "User":
        """Create a site's first administrator; Django's command of that name calls this."""
        fields.setdefault("role", Role.ADMINISTRATOR)
        return super().create_superuser(*args, **fields)


class User(AbstractUser):
    """User with one role."""

    _ward_ids: list[int] | None = None

    role = models.CharField(max_length=20, choices=Role, default=Role.WARD_CLINICIAN)

    objects: ClassVar[PeopleManager] = PeopleManager()

    class Meta(AbstractUser.Meta):
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values),
                name="accounts_user_role_known",
                violation_error_message="Choose one of the roles.",
            )
        ]

    @property
    def display_name(self) -> str:
        """The user's name as the author of an entry; see ``display_name_of``."""
        return display_name_of(self.username, self.first_name, self.last_name)

    def save(self, *args: Any, **options: Any) -> None:
        """Store the user; on a site to try things out a new clinician works on every ward."""
        is_new = self._state.adding
        super().save(*args, **options)
        if is_new and settings.NEW_WARDS and self.role in CLINICIANS:
            WardMembership.objects.bulk_create(
                [WardMembership(user=self, ward=ward) for ward in Ward.objects.all()]
            )

    @property
    def ward_ids(self) -> frozenset[int]:
        """The wards that the user works on; the manager reads them together with the user."""
        if self._ward_ids is None:
            self._ward_ids = list(self.memberships.values_list("ward_id", flat=True))
        return frozenset(self._ward_ids)

    def forget_wards(self) -> None:
        """Read ``ward_ids`` again, because they have changed."""
        self._ward_ids = None


class SignInThrottle(models.Model):
    """Count of consecutive failed sign-ins under one username, known or unknown.

    The username is stored as a keyed digest, because people type passwords into the wrong field.
    """

    FAILURES_ALLOWED = 10
    FORGOTTEN_AFTER = LOCKED_FOR = timedelta(minutes=15)

    username_digest = models.CharField(max_length=64, unique=True)
    failures = models.PositiveSmallIntegerField(default=0)
    last_failed_at = models.DateTimeField(null=True, db_index=True)
    locked_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.failures} failed sign-ins"

    @classmethod
    def of(cls, username: str) -> Self:
        """Return the row of this username, locked until the transaction ends."""
        digest = salted_hmac("sign-in", username.casefold(), algorithm="sha256").hexdigest()
        throttle, _ = cls.objects.select_for_update().get_or_create(username_digest=digest)
        return throttle

    def is_locked(self, now: datetime) -> bool:
        return self.locked_until is not None and now < self.locked_until

    def minutes_locked(self, now: datetime) -> int:
        """Return the minutes until the lock ends, rounded up; 0 when there is none."""
        left = self.locked_until - now if self.locked_until else timedelta(0)
        return max(0, -(-left // timedelta(minutes=1)))

    def note_failure(self, now: datetime) -> None:
        if self.last_failed_at is None or now - self.last_failed_at >= self.FORGOTTEN_AFTER:
            self.failures = 0
        self.failures += 1
        self.last_failed_at = now
        if self.failures >= self.FAILURES_ALLOWED:
            self.failures, self.locked_until = 0, now + self.LOCKED_FOR
        self.save()

    @classmethod
    def forget_old(cls, now: datetime) -> None:
        """Delete rows that no longer count, so that guessed usernames do not fill the table."""
        cls.objects.filter(last_failed_at__lt=now - cls.FORGOTTEN_AFTER - cls.LOCKED_FOR).delete()

"""People who use the system, their one-time links, and the count of failed sign-ins."""

from typing import Any, ClassVar, Final

from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.crypto import salted_hmac

from crs_app.accounts.tablet_models import TabletSignIn
from crs_app.accounts.ward_models import Ward, WardMembership

__all__ = (
    "CLINICIANS", "PEOPLE", "Role", "SignInThrottle", "TabletSignIn", "User", "Ward",
    "WardMembership", "display_name_of",
)  # fmt: skip


class Role(models.TextChoices):
    """Role of a user; `permissions` defines what each may do."""

    WARD_CLINICIAN = "ward_clinician", "Ward clinician"
    ICU_REVIEWER = "icu_reviewer", "ICU reviewer"
    ADMINISTRATOR = "administrator", "Administrator"
    AUDITOR = "auditor", "Auditor"
    SYSTEM = "system", "System"


PEOPLE: Final = tuple((role.value, role.label) for role in Role if role is not Role.SYSTEM)
"""The roles of people, as choices: a system is registered, it is no person."""
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
    sessions_ended = models.PositiveIntegerField(default=0)
    deactivated_at = models.DateTimeField(null=True)
    deactivated_by = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="+"
    )

    objects: ClassVar[PeopleManager] = PeopleManager()

    class Meta(AbstractUser.Meta):
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values),
                name="accounts_user_role_known",
                violation_error_message="Choose one of the roles.",
            ),
            # No door opens to an inactive user, and no password can match one that begins with !.
            models.CheckConstraint(
                condition=~models.Q(role=Role.SYSTEM)
                | models.Q(is_active=False, password__startswith="!"),  # noqa: S106
                name="accounts_system_never_signs_in",
            ),
        ]

    @property
    def display_name(self) -> str:
        """The user's name as the author of an entry; see ``display_name_of``."""
        return display_name_of(self.username, self.first_name, self.last_name)

    @property
    def ward_ids(self) -> frozenset[int]:
        """The wards that the user works on; the manager reads them together with the user."""
        if self._ward_ids is None:
            self._ward_ids = list(self.memberships.values_list("ward_id", flat=True))
        return frozenset(self._ward_ids)

    def forget_wards(self) -> None:
        """Read ``ward_ids`` again, because they have changed."""
        self._ward_ids = None

    @property
    def name_in_lists(self) -> str:
        """The whole name, last name first: "Ruiz, Julia"; the username where there is none."""
        return ", ".join(filter(None, (self.last_name, self.first_name))) or self.username

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Return what each session must hold; another ``sessions_ended`` ends them all at once."""
        holds = f"{self.password}:{self.sessions_ended}"
        return salted_hmac("crs.session", holds, secret=secret, algorithm="sha256").hexdigest()


class FormerName(models.Model):
    """A name that a user had before; a trigger writes it when another one is stored."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="former_names")
    first_name = models.CharField(max_length=150)
    last_name = models.CharField(max_length=150)
    until = models.DateTimeField()
    changed_by = models.CharField(max_length=63)

    class Meta:
        ordering = ("-until",)

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.last_name, self.first_name))) or "no name"


class OneTimeLink(models.Model):
    """Link by which a person sets a password; only a digest of its secret is stored."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="links")
    digest = models.CharField(max_length=64, unique=True)
    made_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"link of {self.user_id}, until {self.expires_at}"


class HospitalIdentity(models.Model):
    """The one identity at the hospital's provider by which a user signs in."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="hospital_identities")
    issuer = models.CharField(max_length=500)
    subject = models.CharField(max_length=255)
    linked_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("issuer", "subject"), name="hospital_identity_once"),
            models.UniqueConstraint(fields=("issuer", "user"), name="hospital_identity_of_user"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.issuer}"


class SignInThrottle(models.Model):
    """Failed sign-ins of one name from one address, or of one address over all names.

    Wrong codes of a second factor are counted apart: a right password does not forget them. The
    name is stored as a keyed digest, because people type passwords into the wrong field.
    ``throttle`` has the rules.
    """

    digest = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="throttles")
    address = models.CharField(max_length=64)
    of_codes = models.BooleanField(default=False)  # of a second factor; else of passwords
    failed_at = ArrayField(models.DateTimeField(), default=list)
    holds = models.PositiveSmallIntegerField(default=0)
    held_until = models.DateTimeField(null=True)
    counts_until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{len(self.failed_at)} failed sign-ins"


class RecordedFailures(models.Model):
    """When failures of one address were recorded, and how many were passed over since.

    Of those that no wait bounds; ``throttle.passed_over`` has the rule.
    """

    digest = models.CharField(max_length=64, unique=True)
    recorded_at = ArrayField(models.DateTimeField(), default=list)
    passed_over = models.PositiveIntegerField(default=0)
    counts_until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{len(self.recorded_at)} recorded, {self.passed_over} passed over"


class LetIn(models.Model):
    """Word of an administrator that a user may try to sign in from a held address."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="let_in")
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.user_id} until {self.until}"


class FactorChange(models.Model):
    """Change of a user's second factors and passkeys, which the user sees on the own page.

    ``by`` is None for the command line.
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="factor_changes")
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    words = models.CharField(max_length=80)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=("user", "-at"), name="factor_change_of_user"),
        ]

    def __str__(self) -> str:
        return f"{self.words}, {self.at}"

"""Tables of how other systems show who they are: keys, what they may do, tokens, used assertions.

Keys, their ends and grants are append-only. Tokens and used assertions are deleted some time after
they have expired; what was issued stands in the record.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from patients.models.charted_times import within_calendar
from patients.models.exchange import ExternalSystem


class KeyPurpose(models.TextChoices):
    """What a key signs."""

    TOKEN = "token", "Reads and writes (token endpoint)"
    HOOKS = "hooks", "CDS Hooks"


class SystemKey(models.Model):
    """A public key: what it signs, with this ``issuer``, ``kid`` and ``jku``, is of the system.

    ``issuer`` is the claim ``iss``: for tokens the name of the system, for CDS Hooks the URL of its
    record. ``jku`` is the address that a header may name as the place of the key; empty for none.
    Nothing is ever fetched from there. ``jwk`` has no private part. A name of a key is never used
    again, also after its end.
    """

    system = models.ForeignKey(ExternalSystem, on_delete=models.PROTECT, related_name="access_keys")
    purpose = models.CharField(max_length=8, choices=KeyPurpose)
    issuer = models.CharField(max_length=300)
    kid = models.CharField(max_length=255)
    jku = models.CharField(max_length=300, blank=True)
    jwk = models.JSONField()
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    added_at = models.DateTimeField()

    class Meta:
        ordering = ("-added_at",)
        constraints = (
            models.UniqueConstraint(
                name="system_key_named_once", fields=("purpose", "issuer", "jku", "kid")
            ),
            models.CheckConstraint(
                name="system_key_known_purpose", condition=Q(purpose__in=KeyPurpose.values)
            ),
            models.CheckConstraint(name="system_key_named", condition=~Q(kid="") & ~Q(issuer="")),
            models.CheckConstraint(
                name="system_key_is_public",
                condition=~Q(jwk__has_any_keys=["d", "p", "q", "dp", "dq", "qi", "k", "oth"]),
            ),
            models.CheckConstraint(
                name="system_key_in_calendar", condition=within_calendar("added_at")
            ),
        )

    def __str__(self) -> str:
        return f"{self.kid} of {self.issuer}"


class SystemKeyEnd(models.Model):
    """The end of a key, and with it of every token that it was shown for."""

    key = models.OneToOneField(SystemKey, on_delete=models.PROTECT, related_name="end")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="system_key_end_in_calendar", condition=within_calendar("at")
            ),
        )

    def __str__(self) -> str:
        return f"end of {self.key_id}, {self.at:%Y-%m-%d %H:%M}"


class SystemGrant(models.Model):
    """The scopes that a system has from ``at`` on; the last row of a system holds."""

    system = models.ForeignKey(
        ExternalSystem, on_delete=models.PROTECT, related_name="grants", db_index=False
    )
    scopes = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="system_grant_in_calendar", condition=within_calendar("at")
            ),
        )
        indexes = (models.Index(name="system_grant_of_system", fields=("system", "-id")),)

    def __str__(self) -> str:
        return f"{self.system_id}: {' '.join(self.scopes)}"


class AccessToken(models.Model):
    """A token that a system got for a key; only the digest of its text is stored."""

    digest = models.CharField(max_length=64, unique=True)
    key = models.ForeignKey(SystemKey, on_delete=models.PROTECT, related_name="tokens")
    scopes = ArrayField(models.CharField(max_length=60))
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"token of key {self.key_id}, until {self.expires_at:%H:%M:%S}"


class UsedAssertion(models.Model):
    """An assertion that was accepted, by a digest of its issuer and its name: it counts once."""

    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.digest}, until {self.expires_at:%H:%M:%S}"


class RequestCount(models.Model):
    """How many requests one sender sent in one minute, shared by all processes."""

    sender = models.CharField(max_length=100)
    minute = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(name="request_count_once", fields=("sender", "minute")),
        )

    def __str__(self) -> str:
        return f"{self.count} of {self.sender} at {self.minute:%H:%M}"

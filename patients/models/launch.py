"""Tables of launches from a health record (SMART App Launch 2.2): who may launch, and who is who.

Both are append-only: of one issuer, and of one identity there, the last row holds.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from patients.models.charted_times import within_calendar


class LaunchIssuer(models.Model):
    """A health record that may launch this application, from ``at`` on.

    ``iss`` is the base of its FHIR addresses, letter by letter as it sends it. ``client_secret``
    or ``private_key`` (a JSON Web Key), both encrypted, is how this application shows who it is
    there. ``mrn_system`` is the identifier system of its record numbers. ``frame_origins`` are the
    pages that may show ours in a frame. The addresses come from its smart-configuration, which an
    administrator had read at ``at``; nothing else is asked. One that is not ``is_active`` launches
    nothing.
    """

    iss = models.CharField(max_length=300)
    name = models.CharField(max_length=60)
    client_id = models.CharField(max_length=200)
    client_secret = models.TextField(blank=True)
    private_key = models.TextField(blank=True)
    mrn_system = models.CharField(max_length=300)
    frame_origins = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    openid_issuer = models.CharField(max_length=300)
    authorization_endpoint = models.CharField(max_length=500)
    token_endpoint = models.CharField(max_length=500)
    jwks_uri = models.CharField(max_length=500)
    is_active = models.BooleanField(default=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(name="launch_issuer_named", condition=~Q(iss="") & ~Q(name="")),
            models.CheckConstraint(
                name="launch_issuer_has_one_credential",
                condition=Q(client_secret="", private_key__gt="")
                | Q(client_secret__gt="", private_key=""),
            ),
            models.CheckConstraint(
                name="launch_issuer_in_calendar", condition=within_calendar("at")
            ),
        )
        indexes = (models.Index(name="launch_issuer_of_iss", fields=("iss", "-id")),)

    def __str__(self) -> str:
        return self.iss


class LaunchIdentity(models.Model):
    """Whom an identity of a health record is here, from ``at`` on; ``user`` None: nobody any more.

    ``identity`` is the claim ``fhirUser`` or ``sub`` of its identity tokens.
    """

    iss = models.CharField(max_length=300)
    identity = models.CharField(max_length=300)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="launch_identities",
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="launch_identity_named", condition=~Q(iss="") & ~Q(identity="")
            ),
            models.CheckConstraint(
                name="launch_identity_in_calendar", condition=within_calendar("at")
            ),
        )
        indexes = (models.Index(name="launch_identity_of_iss", fields=("iss", "identity", "-id")),)

    def __str__(self) -> str:
        return f"{self.identity} of {self.iss}"

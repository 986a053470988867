"""Tables of the grading policy: versions of its values, and the site's decisions."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from patients.models.charted_times import within_calendar


class PolicyVersion(models.Model):
    """Values of the policy parameters, with which a site decides what the paper leaves open."""

    values = models.JSONField()
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT
    )

    def __str__(self) -> str:
        return f"policy {self.digest[:8]}"


class SitePolicy(models.Model):
    """The site's decision that a policy is valid from ``valid_from`` on.

    It replaces earlier decisions for the same time or later. ``form_id`` is the
    form's idempotency key.
    """

    form_id = models.UUIDField(unique=True)
    version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT)
    valid_from = models.DateTimeField()
    reason = models.CharField(max_length=500)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)

    class Meta:
        verbose_name_plural = "site policies"
        constraints = (
            models.CheckConstraint(name="site_policy_says_why", condition=~Q(reason="")),
            models.CheckConstraint(
                name="site_policy_in_calendar", condition=within_calendar("valid_from")
            ),
        )

    def __str__(self) -> str:
        return f"{self.version} from {self.valid_from:%Y-%m-%d %H:%M}"

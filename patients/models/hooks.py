"""Tables of CDS Hooks: the cards that other systems were shown, and what was done with them."""

from __future__ import annotations

import uuid
from typing import Final

from django.db import models
from django.db.models.functions import Now

from patients.models.charted_times import within_calendar
from patients.models.course import Course
from patients.models.exchange import ExternalSystem

LONGEST_WORDS: Final = 1000


class CardShown(models.Model):
    """A card as it was sent: to which system, on which course, and what it said.

    ``hook_instance`` is the request that it answered. ``user_id`` names the user of the other
    system as that system did: nobody here has checked it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    system = models.ForeignKey(ExternalSystem, on_delete=models.PROTECT, related_name="+")
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="cards_shown")
    service = models.CharField(max_length=40)
    hook_instance = models.UUIDField()
    user_id = models.CharField(max_length=200)
    topic = models.CharField(max_length=60)
    indicator = models.CharField(max_length=10)
    summary = models.CharField(max_length=140)
    shown_at = models.DateTimeField()

    class Meta:
        ordering = ("shown_at",)

    def __str__(self) -> str:
        return f"{self.topic} to {self.system_id}"


class CardOutcome(models.TextChoices):
    """What a user did with a card (CDS Hooks 2.0, feedback)."""

    ACCEPTED = "accepted", "Accepted"
    OVERRIDDEN = "overridden", "Overridden"


class CardFeedback(models.Model):
    """What a user of another system did with a card, in that system's words and by its clock.

    It is no answer to guidance: nobody here has checked who the user is.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    card = models.ForeignKey(CardShown, on_delete=models.PROTECT, related_name="feedback")
    outcome = models.CharField(max_length=12, choices=CardOutcome)
    outcome_at = models.DateTimeField()
    reason_system = models.CharField(max_length=LONGEST_WORDS, blank=True)
    reason_code = models.CharField(max_length=LONGEST_WORDS, blank=True)
    comment = models.CharField(max_length=LONGEST_WORDS, blank=True)
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("outcome_at",)
        constraints = (
            models.UniqueConstraint(
                name="card_feedback_once", fields=("card", "outcome", "outcome_at")
            ),
            models.CheckConstraint(
                name="card_feedback_known_outcome",
                condition=models.Q(outcome__in=CardOutcome.values),
            ),
            models.CheckConstraint(
                name="card_feedback_in_calendar", condition=within_calendar("outcome_at")
            ),
        )

    def __str__(self) -> str:
        return f"{self.outcome} {self.card_id}"

"""The table of answers to guidance."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from grading.engine.algorithm import Reply
from patients.models.charting import ChartingAct, Entry
from patients.models.course import Course


class GuidanceAnswer(models.Model):
    """A clinician's answer to an item of guidance, with the ``summary`` that the page showed.

    ``grade`` and ``at_most`` are those of that time; ``treatment`` is the entry that *done* charted
    in the same act; ``returns_at`` is when the item returns after *not now*.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    course = models.ForeignKey(
        Course, on_delete=models.PROTECT, related_name="guidance_answers", db_index=False
    )
    act = models.OneToOneField(
        ChartingAct, on_delete=models.PROTECT, related_name="guidance_answer"
    )
    code = models.CharField(max_length=60)
    summary = models.CharField(max_length=200)
    grade = models.PositiveSmallIntegerField()
    at_most = models.PositiveSmallIntegerField()
    ruleset_version = models.CharField(max_length=20)
    reply = models.CharField(max_length=20, choices=[(word.value, word.label) for word in Reply])
    reason = models.CharField(max_length=300, blank=True)
    returns_at = models.DateTimeField(null=True, blank=True)
    treatment = models.OneToOneField(
        Entry, null=True, blank=True, on_delete=models.PROTECT, related_name="answer_charted_by"
    )
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="answer_reply_known_word",
                condition=Q(reply__in=[word.value for word in Reply]),
            ),
            models.CheckConstraint(
                name="answer_not_now_returns",
                condition=Q(reply=Reply.NOT_NOW.value, returns_at__isnull=False)
                | (~Q(reply=Reply.NOT_NOW.value) & Q(returns_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="answer_not_appropriate_says_why",
                condition=~Q(reply=Reply.NOT_APPROPRIATE.value) | ~Q(reason=""),
            ),
            models.CheckConstraint(
                name="answer_only_done_charts",
                condition=Q(treatment=None) | Q(reply=Reply.DONE.value),
            ),
        )
        indexes = (
            models.Index(fields=("course", "code", "-recorded_at"), name="answer_latest"),
            models.Index(fields=("course", "-recorded_at"), name="answer_in_order"),
        )

    def __str__(self) -> str:
        return f"{self.code}: {self.reply}"

"""Tables of reviewers: the grades they signed, and up to where each reader has seen a course."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from crs_app.accounts.models import PEOPLE
from patients.models.charted_times import within_calendar
from patients.models.charting import Entry
from patients.models.course import Course

_HIGHEST_GRADE: Final = 5


class DisagreementReason(models.TextChoices):
    """Why a reviewer states another grade than the computed one."""

    ANOTHER_CAUSE = "another_cause", "Another cause, not CRS"
    SICKER = "sicker", "Sicker than the rules show"
    LESS_SICK = "less_sick", "Less sick than the rules show"
    DOUBTFUL_VALUE = "doubtful_value", "A value is wrong or doubtful"
    OTHER = "other", "Other"


class GradeReview(models.Model):
    """A sign-off: what a reviewer stated for [``start``, ``end``), beside the computed grade.

    Of a period that was open, ``end`` is the moment of signing, ``recorded_at``. ``known_at`` is
    the time up to which the reviewer saw what was recorded, and ``last_entry`` the last entry
    recorded by then, the ``entry_number``-th of its course. The author's name and role are those
    of that time.
    """

    course = models.ForeignKey(
        Course, on_delete=models.PROTECT, related_name="reviews", db_index=False
    )
    form_id = models.UUIDField()
    system = models.CharField(max_length=20)
    start = models.DateTimeField()
    end = models.DateTimeField()
    computed_grade = models.PositiveSmallIntegerField()
    stated_grade = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=20, choices=DisagreementReason, blank=True)
    words = models.CharField(max_length=500, blank=True)
    known_at = models.DateTimeField()
    last_entry = models.ForeignKey(
        Entry, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    entry_number = models.PositiveIntegerField()
    ruleset_version = models.CharField(max_length=20)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    author_name = models.CharField(max_length=310)
    author_role = models.CharField(max_length=20, choices=PEOPLE)

    class Meta:
        constraints = (
            models.UniqueConstraint(name="review_form_once", fields=("course", "form_id")),
            models.CheckConstraint(
                name="review_span_not_empty",
                condition=Q(start__lt=F("end"), end__lte=F("recorded_at")),
            ),
            models.CheckConstraint(
                name="review_known_by_then", condition=Q(known_at__lte=F("recorded_at"))
            ),
            models.CheckConstraint(
                name="review_grades_known",
                condition=Q(computed_grade__lte=_HIGHEST_GRADE, stated_grade__lte=_HIGHEST_GRADE),
            ),
            models.CheckConstraint(
                name="review_another_grade_says_why",
                condition=Q(stated_grade=F("computed_grade"), reason="")
                | (~Q(stated_grade=F("computed_grade")) & Q(reason__in=DisagreementReason.values)),
            ),
            models.CheckConstraint(
                name="review_other_reason_in_words",
                condition=~Q(reason=DisagreementReason.OTHER) | ~Q(words=""),
            ),
            models.CheckConstraint(
                name="review_role_known_word",
                condition=Q(author_role__in=[role for role, _ in PEOPLE]),
            ),
            models.CheckConstraint(
                name="review_in_calendar",
                condition=within_calendar("start", "end", "known_at", "recorded_at"),
            ),
        )
        indexes = (models.Index(name="review_in_order", fields=("course", "-recorded_at")),)

    def __str__(self) -> str:
        return f"grade {self.stated_grade} from {self.start:%Y-%m-%d %H:%M}"


class CourseSeen(models.Model):
    """A press of *Mark as seen*: the reader has seen what was recorded up to ``known_at``."""

    course = models.ForeignKey(
        Course, on_delete=models.PROTECT, related_name="seen", db_index=False
    )
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    known_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "courses seen"
        constraints = (
            models.UniqueConstraint(
                name="course_seen_once", fields=("course", "reader", "known_at")
            ),
            models.CheckConstraint(
                name="course_seen_known_by_then", condition=Q(known_at__lte=F("seen_at"))
            ),
            models.CheckConstraint(
                name="course_seen_in_calendar", condition=within_calendar("known_at", "seen_at")
            ),
        )

    def __str__(self) -> str:
        return f"seen up to {self.known_at:%Y-%m-%d %H:%M}"

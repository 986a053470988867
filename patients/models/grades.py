"""Tables derived from entries: grade periods, checkpoints, and which policy grades from when."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q

from patients.models.charted_times import within_calendar
from patients.models.charting import ChartingAct
from patients.models.course import Course
from patients.models.policy import PolicyVersion, SitePolicy


class GradePeriod(models.Model):
    """A grade over ``valid`` (clinical time) as it was ``known`` (time of recording).

    Derived from entries. The chart has the rows whose ``known`` is open; a closed row was the
    answer at an earlier time. The one change ever made to a row is closing ``known``.
    """

    course = models.ForeignKey(
        Course, on_delete=models.PROTECT, related_name="grade_periods", db_index=False
    )
    system = models.CharField(max_length=20)
    valid = DateTimeRangeField()
    known = DateTimeRangeField()
    grade = models.PositiveSmallIntegerField()
    at_most = models.PositiveSmallIntegerField()
    findings = models.JSONField()
    ruleset_version = models.CharField(max_length=20)
    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT)

    class Meta:
        constraints = (
            ExclusionConstraint(
                name="grade_period_one_answer",
                expressions=[
                    ("course", RangeOperators.EQUAL),
                    ("system", RangeOperators.EQUAL),
                    ("valid", RangeOperators.OVERLAPS),
                    ("known", RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                name="grade_period_grade_within_bound",
                condition=Q(grade__lte=F("at_most"), at_most__lte=5),
            ),
            models.CheckConstraint(
                name="grade_period_not_empty",
                condition=Q(valid__isempty=False, known__isempty=False),
            ),
        )
        indexes = (
            models.Index(
                F("course"),
                F("valid__startswith"),
                name="grade_period_known_now",
                condition=Q(known__upper_inf=True),
            ),
            models.Index(
                F("course"),
                F("grade"),
                F("valid__startswith"),
                name="grade_period_by_grade",
                condition=Q(known__upper_inf=True),
            ),
            models.Index(
                F("valid__startswith"),
                name="grade_period_begins",
                condition=Q(known__upper_inf=True),
            ),
        )

    def __str__(self) -> str:
        return f"grade {self.grade} from {self.valid.lower:%Y-%m-%d %H:%M}"


class GradeCheckpoint(models.Model):
    """The engine's state after all entries up to ``at``: a cache that may be deleted.

    ``holds_other_scales``: the state holds what the other scales ask; those of an earlier version
    do not, and a save does not resume from them.
    """

    course = models.ForeignKey(
        Course, on_delete=models.CASCADE, related_name="checkpoints", db_index=False
    )
    system = models.CharField(max_length=20, db_default="lee-2014")
    at = models.DateTimeField()
    ruleset_version = models.CharField(max_length=20)
    state = models.JSONField()
    holds_other_scales = models.BooleanField(db_default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="checkpoint_once_per_instant", fields=("course", "system", "at")
            ),
        )

    def __str__(self) -> str:
        return f"checkpoint at {self.at:%Y-%m-%d %H:%M}"


class CoursePolicy(models.Model):
    """A policy version that grades a course from ``valid_from`` on.

    Like a SitePolicy it replaces earlier ones for the same time or later. ``site_policy`` is the
    site's decision that brought it; None where the course alone was regraded from its infusion.
    """

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="policies")
    act = models.ForeignKey(ChartingAct, on_delete=models.PROTECT, related_name="policies")
    version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT)
    valid_from = models.DateTimeField()
    site_policy = models.ForeignKey(SitePolicy, null=True, blank=True, on_delete=models.PROTECT)

    class Meta:
        verbose_name_plural = "course policies"
        constraints = (
            models.UniqueConstraint(name="course_policy_once_in_act", fields=("act", "valid_from")),
            models.CheckConstraint(
                name="course_policy_in_calendar", condition=within_calendar("valid_from")
            ),
        )

    def __str__(self) -> str:
        return f"{self.version} from {self.valid_from:%Y-%m-%d %H:%M}"

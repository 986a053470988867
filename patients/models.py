"""The rows: patients, courses, charting acts, entries, and the derived history of grades.

An entry is a recorded fact and is never changed: migration ``0002_append_only`` makes the
database refuse it. Grade periods and checkpoints are derived by ``patients.recording``.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KeyTextTransform, KeyTransform

from grading.engine.algorithm import Reply
from grading.engine.vocabulary import FAHRENHEIT, VITAL_SIGNS, Sex, VitalSign

AT_MOST_AHEAD: Final = timedelta(minutes=5)
"""How far an entry's clinical time may be ahead of the server's clock."""


@KeyTransform.register_lookup
class TypedNumberWithin(models.Lookup):
    """``body__key__typed_number_within=(lowest, highest)``: a number kept as text, inclusive."""

    lookup_name = "typed_number_within"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        document, parameters, (key,) = self.lhs.preprocess_lhs(compiler, connection)
        sql = f"({document} ->> %s)::numeric BETWEEN %s::numeric AND %s::numeric"
        return sql, (*parameters, key, *self.rhs)


class EntryKind(models.TextChoices):
    """What an entry says; the keys are those of the course file."""

    VITALS = "vitals", "Vital signs"
    OXYGEN = "oxygen", "Oxygen"
    VASOPRESSOR = "vasopressor", "Vasopressor"
    FLUID_BOLUS = "fluid_bolus", "Fluid bolus"
    WEIGHT = "weight", "Weight"
    LAB = "lab", "Laboratory"
    BASELINE = "baseline", "Baseline"
    RISK = "risk", "Risk"
    TOXICITY = "toxicity", "Toxicity"
    JUDGEMENT = "judgement", "Judgement"
    SYMPTOM = "symptom", "Symptom"
    TREATMENT = "treatment", "Treatment"
    NOTE = "note", "Note"
    NOT_OBSERVED = "not_observed", "Not observed"
    DEATH = "death", "Death"
    RETRACTION = "retraction", "Retraction"


class ActSource(models.TextChoices):
    """Where a charting act came from."""

    BEDSIDE = "bedside", "Bedside form"
    IMPORT = "import", "Course file"
    POLICY = "policy", "Policy decision"


class Patient(models.Model):
    """A person, known to the hospital by a medical record number."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    mrn = models.CharField("MRN", max_length=40, unique=True)
    name = models.CharField(max_length=200)
    birth_date = models.DateField(null=True, blank=True)
    sex = models.CharField(max_length=10, choices=[(sex.value, sex.label) for sex in Sex])

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="patient_sex_known_word", condition=Q(sex__in=[sex.value for sex in Sex])
            ),
            models.CheckConstraint(name="patient_mrn_not_empty", condition=~Q(mrn="")),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.mrn})"


class PolicyVersion(models.Model):
    """A site's decisions where the paper is silent: named overrides of the policy parameters."""

    values = models.JSONField()
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT
    )

    def __str__(self) -> str:
        return f"policy {self.digest[:8]}"


class Course(models.Model):
    """One course of immunotherapy of one patient, graded from ``infused_at`` on.

    ``age_years`` is the age at the infusion, where no birth date is known. Only ward, bed and
    ``ended_at`` may change; the database refuses any change on which a grade rests.
    ``infused_offset_seconds`` keeps the offset from UTC in which the infusion was charted: ages are
    counted by the calendar there. ``policy`` is that of the admission, ``CoursePolicy`` what
    followed; a course that ``keeps_own_policy`` does not follow the site's.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="courses")
    product = models.CharField(max_length=120)
    infused_at = models.DateTimeField()
    infused_offset_seconds = models.IntegerField(default=0)
    age_years = models.DecimalField(max_digits=23, decimal_places=20, null=True, blank=True)
    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT)
    keeps_own_policy = models.BooleanField(default=False)
    ward = models.CharField(max_length=60)
    bed = models.CharField(max_length=30, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    admitted_at = models.DateTimeField()
    admitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="course_once_per_infusion", fields=("patient", "product", "infused_at")
            ),
            models.CheckConstraint(
                name="course_age_plausible",
                condition=Q(age_years=None) | Q(age_years__gte=0, age_years__lte=120),
            ),
        )

    def __str__(self) -> str:
        return f"{self.patient_id}: {self.product}"

    @property
    def infused_there(self) -> datetime:
        """The infusion in the offset in which it was charted."""
        offset = timezone(timedelta(seconds=self.infused_offset_seconds))
        return self.infused_at.astimezone(offset)


class ChartingAct(models.Model):
    """One form sent, or one step of an import: everything that was recorded at one instant.

    ``form_id`` is the form's idempotency key; ``request_digest`` tells the same form sent twice
    from another one under the same key. ``answers`` holds what was asked beside the facts: the
    reason of a correction or a retraction.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    course = models.ForeignKey(
        Course, on_delete=models.PROTECT, related_name="acts", db_index=False
    )
    form_id = models.UUIDField()
    recorded_at = models.DateTimeField()
    received_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    source = models.CharField(max_length=10, choices=ActSource)
    answers = models.JSONField(default=dict)
    request_digest = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(name="act_form_once", fields=("course", "form_id")),
            models.UniqueConstraint(name="act_instants_differ", fields=("course", "recorded_at")),
            models.CheckConstraint(
                name="act_source_known_word", condition=Q(source__in=ActSource.values)
            ),
        )

    def __str__(self) -> str:
        return f"{self.source} {self.recorded_at:%Y-%m-%d %H:%M:%S}"


SAYS_CONCENTRATION: Final = Q(kind=EntryKind.VASOPRESSOR, body__has_key="concentration_per_ml")
"""An infusion that was charted with what its syringe holds."""


def _within_limits(sign: VitalSign) -> models.CheckConstraint:
    """The hard limits of a vital sign, for the number as it was typed."""
    limits = (str(sign.limits.lowest), str(sign.limits.highest))
    return models.CheckConstraint(
        name=f"entry_{sign.key}_plausible",
        condition=~Q(kind=EntryKind.VITALS)
        | Q(**{f"body__{sign.key}__typed_number_within": limits}),
    )


class Entry(models.Model):
    """One charted fact, in the course file's own words and exactly as it was typed.

    ``at`` is the clinical time, ``recorded_at`` the time of charting, ``place`` the order within
    the act. ``replaces`` names the entry that this one corrects or, for a retraction, takes back.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    course = models.ForeignKey(
        Course, on_delete=models.PROTECT, related_name="entries", db_index=False
    )
    kind = models.CharField(max_length=20, choices=EntryKind)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    act = models.ForeignKey(
        ChartingAct, on_delete=models.PROTECT, related_name="entries", db_index=False
    )
    place = models.PositiveSmallIntegerField()
    replaces = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="replaced_by"
    )
    body = models.JSONField()

    class Meta:
        verbose_name_plural = "entries"
        constraints = (
            models.UniqueConstraint(
                name="entry_in_order", fields=("course", "at", "recorded_at", "place")
            ),
            models.UniqueConstraint(name="entry_place_in_act", fields=("act", "place")),
            models.CheckConstraint(
                name="entry_kind_known_word", condition=Q(kind__in=EntryKind.values)
            ),
            models.CheckConstraint(
                name="entry_not_in_the_future",
                condition=Q(at__lte=F("recorded_at") + AT_MOST_AHEAD),
            ),
            models.CheckConstraint(
                name="entry_retraction_replaces",
                condition=~Q(kind=EntryKind.RETRACTION) | Q(replaces__isnull=False),
            ),
            *(_within_limits(sign) for sign in (*VITAL_SIGNS, FAHRENHEIT)),
        )
        indexes = (
            models.Index(name="entry_by_kind", fields=("course", "kind", "at")),
            # Few are charted ahead of their time, and the board asks which have come.
            models.Index(name="entry_ahead", fields=("at",), condition=Q(at__gt=F("recorded_at"))),
            models.Index(
                name="entry_syringes", fields=("-recorded_at",), condition=SAYS_CONCENTRATION
            ),
            models.Index(
                F("course"),
                KeyTextTransform("drug", "body"),
                F("at"),
                name="entry_by_drug",
                condition=Q(kind=EntryKind.VASOPRESSOR),
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%d %H:%M}"


class Move(models.TextChoices):
    """What happened to a course's place on the board."""

    MOVED = "moved", "Moved"
    ENDED = "ended", "Ended"
    REOPENED = "reopened", "Reopened"


class Transfer(models.Model):
    """That a course was moved to another ward or bed, ended, or taken up again: who, when, why.

    ``at`` is when it happened; ``form_id`` is the form's idempotency key. The course's own columns
    hold where it is now.
    """

    course = models.ForeignKey(
        Course, on_delete=models.PROTECT, related_name="transfers", db_index=False
    )
    form_id = models.UUIDField()
    what = models.CharField(max_length=10, choices=Move)
    from_ward = models.CharField(max_length=60)
    from_bed = models.CharField(max_length=30, blank=True)
    to_ward = models.CharField(max_length=60)
    to_bed = models.CharField(max_length=30, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)

    class Meta:
        constraints = (
            models.UniqueConstraint(name="transfer_form_once", fields=("course", "form_id")),
            models.CheckConstraint(name="transfer_known_word", condition=Q(what__in=Move.values)),
            models.CheckConstraint(
                name="transfer_not_in_the_future",
                condition=Q(at__lte=F("recorded_at") + AT_MOST_AHEAD),
            ),
        )
        indexes = (models.Index(name="transfer_in_order", fields=("course", "-at")),)

    def __str__(self) -> str:
        return f"{self.what} at {self.at:%Y-%m-%d %H:%M}"


class GradePeriod(models.Model):
    """A grade over ``valid`` (clinical time) as it was ``known`` (time of recording).

    Derived. A row whose ``known`` is open is what the chart says now; a closed one is what it said
    once. The one change ever made to a row is closing ``known``.
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
    """The engine's state once every entry up to ``at`` is applied: a cache that may be deleted."""

    course = models.ForeignKey(
        Course, on_delete=models.CASCADE, related_name="checkpoints", db_index=False
    )
    at = models.DateTimeField()
    ruleset_version = models.CharField(max_length=20)
    state = models.JSONField()

    class Meta:
        constraints = (
            models.UniqueConstraint(name="checkpoint_once_per_instant", fields=("course", "at")),
        )

    def __str__(self) -> str:
        return f"checkpoint at {self.at:%Y-%m-%d %H:%M}"


class SitePolicy(models.Model):
    """The site's decision that a policy holds from ``valid_from`` on.

    It takes the place of what was decided before for the same time or later. ``form_id`` is the
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
        )

    def __str__(self) -> str:
        return f"{self.version} from {self.valid_from:%Y-%m-%d %H:%M}"


class CoursePolicy(models.Model):
    """That a course is graded under a policy version from ``valid_from`` on, as in SitePolicy.

    ``site_policy`` is the site's decision that brought it; None is a course regraded from its
    infusion on purpose, for the reason that stands with its act.
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
        )

    def __str__(self) -> str:
        return f"{self.version} from {self.valid_from:%Y-%m-%d %H:%M}"


class LaboratoryLimits(models.Model):
    """Limits of normal as one laboratory reports them for an analyte in a unit, as typed.

    They are proposed for the next patient of the same sex and the same side of adulthood;
    ``age_years`` is the age of the one they were charted for. The latest row holds. Empty is not
    given.
    """

    act = models.ForeignKey(ChartingAct, on_delete=models.PROTECT, related_name="limits")
    laboratory = models.CharField(max_length=60)
    analyte = models.CharField(max_length=20)
    unit = models.CharField(max_length=20)
    sex = models.CharField(max_length=10, choices=[(sex.value, sex.label) for sex in Sex])
    is_child = models.BooleanField()
    age_years = models.PositiveSmallIntegerField()
    lower = models.CharField(max_length=64, blank=True)
    upper = models.CharField(max_length=64, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)

    class Meta:
        verbose_name_plural = "laboratory limits"
        constraints = (
            models.UniqueConstraint(name="limits_once_in_act", fields=("act", "analyte", "unit")),
            models.CheckConstraint(name="limits_of_named_laboratory", condition=~Q(laboratory="")),
            models.CheckConstraint(name="limits_say_something", condition=~Q(lower="", upper="")),
        )
        indexes = (
            models.Index(
                fields=("laboratory", "sex", "is_child", "analyte", "unit", "-recorded_at"),
                name="limits_latest",
            ),
        )

    def __str__(self) -> str:
        return f"{self.laboratory}: {self.analyte} {self.lower or '?'} to {self.upper or '?'}"


class GuidanceAnswer(models.Model):
    """What a clinician answered to an item of guidance, and what it said when it was answered.

    ``grade`` and ``at_most`` are those at which it was asked; ``treatment`` is the entry that
    *done* charted in the same act; ``returns_at`` is when *not now* asks again.
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

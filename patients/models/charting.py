"""Tables of what is charted: acts and their entries. The database refuses any change to them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KeyTextTransform, KeyTransform

from crs_app.accounts.models import Role
from grading.engine.scale_vocabulary import CAPD_SCORE, ICE_PARTS, ICE_SCORE, SEIZURE_MINUTES
from grading.engine.sentences import inside_a_sentence
from grading.engine.vocabulary import AT_MOST_AHEAD, FAHRENHEIT, VITAL_SIGNS, Limits, VitalSign
from patients.models.charted_times import within_calendar
from patients.models.course import Course

BY_EMERGENCY: Final = "by_emergency_access"
"""Key in the answers of an act that was made by emergency access."""


@KeyTransform.register_lookup
class TypedNumberWithin(models.Lookup):
    """``body__key__typed_number_within=(lowest, highest)``: a number kept as text, inclusive."""

    lookup_name = "typed_number_within"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        document, parameters, (key,) = self.lhs.preprocess_lhs(compiler, connection)
        sql = f"({document} ->> %s)::numeric BETWEEN %s::numeric AND %s::numeric"
        return sql, (*parameters, key, *self.rhs)


@KeyTransform.register_lookup
class TypedWholeWithin(TypedNumberWithin):
    """The same of a whole number; its limits are its own."""

    lookup_name = "typed_whole_within"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        within, parameters = super().as_sql(compiler, connection)
        document, _, (key,) = self.lhs.preprocess_lhs(compiler, connection)
        sql = f"({within} AND ({document} ->> %s)::numeric %% 1 = 0)"
        return sql, (*parameters, key)


class EntryKind(models.TextChoices):
    """Kind of an entry; the keys are those of the course file."""

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
    ICE = "ice", "ICE"
    CAPD = "capd", "CAPD"
    CONSCIOUSNESS = "consciousness", "Consciousness"
    SEIZURE = "seizure", "Seizure"
    NEURO_SIGN = "neuro_sign", "Neurologic sign"
    ADMISSION = "admission", "Place of care"
    BLOOD_PRODUCT = "blood_product", "Blood product"
    RETRACTION = "retraction", "Retraction"

    @property
    def in_sentence(self) -> str:
        """The label within a sentence: with a small letter, apart from "ICE" and "CAPD"."""
        return inside_a_sentence(str(self.label))


class ActSource(models.TextChoices):
    """Where a charting act came from."""

    BEDSIDE = "bedside", "Bedside form"
    IMPORT = "import", "Course file"
    POLICY = "policy", "Policy decision"
    RULESET = "ruleset", "New version of the grading rules"
    IDENTITY = "identity", "Corrected identity"
    INTERFACE = "interface", "Another system"


class ChartingAct(models.Model):
    """One sent form or one step of an import: everything that was recorded at one instant.

    ``form_id`` is the form's idempotency key; ``request_digest`` tells a replay from other contents
    under the same key. ``answers`` has what the form asked apart from the facts, like the reason of
    a correction or a retraction. ``author_name`` and ``author_role`` are those of that time, empty
    in an act that was recorded before they were kept.
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
    author_name = models.CharField(max_length=310, blank=True, default="", db_default="")
    author_role = models.CharField(
        max_length=20, choices=Role, blank=True, default="", db_default=""
    )
    message = models.ForeignKey(
        "InboundMessage",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="acts",
        db_index=False,
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(name="act_form_once", fields=("course", "form_id")),
            models.UniqueConstraint(name="act_instants_differ", fields=("course", "recorded_at")),
            models.CheckConstraint(
                name="act_source_known_word", condition=Q(source__in=ActSource.values)
            ),
            models.CheckConstraint(
                name="act_role_known_word",
                condition=Q(author_name="", author_role="")
                | (~Q(author_name="") & Q(author_role__in=Role.values)),
            ),
            models.CheckConstraint(
                name="act_in_calendar", condition=within_calendar("recorded_at", "received_at")
            ),
            models.CheckConstraint(
                name="act_of_interface_has_message",
                condition=~Q(source=ActSource.INTERFACE) | Q(message__isnull=False),
            ),
            models.CheckConstraint(
                name="act_of_system_by_interface",
                condition=~Q(author_role=Role.SYSTEM) | Q(source=ActSource.INTERFACE),
            ),
        )
        indexes = (
            # Few acts chart what another system sent; an act of a person has no row in this index.
            models.Index(
                name="act_of_message", fields=("message",), condition=Q(message__isnull=False)
            ),
        )

    def __str__(self) -> str:
        return f"{self.source} {self.recorded_at:%Y-%m-%d %H:%M:%S}"


SAYS_CONCENTRATION: Final = Q(kind=EntryKind.VASOPRESSOR, body__has_key="concentration_per_ml")
"""An infusion that was charted with the concentration of its syringe."""


def _within_limits(sign: VitalSign) -> models.CheckConstraint:
    """Return the constraint of a vital sign's hard limits, for the number as it was typed."""
    limits = (str(sign.limits.lowest), str(sign.limits.highest))
    return models.CheckConstraint(
        name=f"entry_{sign.key}_plausible",
        condition=~Q(kind=EntryKind.VITALS)
        | Q(**{f"body__{sign.key}__typed_number_within": limits}),
    )


def _points(kind: EntryKind, limits: Mapping[str, Limits]) -> models.CheckConstraint:
    """Return the constraint of the points of a kind, by key: whole numbers within their limits."""
    within = Q()
    for key, points in limits.items():
        both = (str(points.lowest), str(points.highest))
        within &= Q(**{f"body__{key}__typed_whole_within": both})
    return models.CheckConstraint(name=f"entry_{kind}_points", condition=~Q(kind=kind) | within)


_ICE_POINTS: Final = {"score": ICE_SCORE} | {
    part: Limits.of("0", str(most)) for part, most in ICE_PARTS.items()
}
_SEIZURE_MINUTES: Final = (str(SEIZURE_MINUTES.lowest), str(SEIZURE_MINUTES.highest))


class Entry(models.Model):
    """One charted fact: ``body`` has the keys of the course file and the values as they were typed.

    ``at`` is the clinical time, ``recorded_at`` the time of charting, ``place`` the order within
    the act. ``replaces`` is the entry that this one corrects or, as a retraction, retracts.
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
                name="entry_in_calendar", condition=within_calendar("at", "recorded_at")
            ),
            models.CheckConstraint(
                name="entry_retraction_replaces",
                condition=~Q(kind=EntryKind.RETRACTION) | Q(replaces__isnull=False),
            ),
            *(_within_limits(sign) for sign in (*VITAL_SIGNS, FAHRENHEIT)),
            _points(EntryKind.ICE, _ICE_POINTS),
            _points(EntryKind.CAPD, {"score": CAPD_SCORE}),
            models.CheckConstraint(
                name="entry_seizure_minutes",
                condition=~Q(kind=EntryKind.SEIZURE)
                | Q(body__duration_minutes__typed_number_within=_SEIZURE_MINUTES),
            ),
        )
        indexes = (
            models.Index(name="entry_by_kind", fields=("course", "kind", "at")),
            # The board looks for entries charted ahead of their time that are due now; few are.
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


CONFIRMED: Final = "confirmed"
"""Name of the confirming button, and key of the confirmed questions in the act's answers."""


def confirmed_of(answers: Mapping[str, Any], place: int) -> list[str]:
    """Return the questions confirmed for the entry at ``place`` of an act with ``answers``."""
    return [sentence for at, sentence in answers.get(CONFIRMED, ()) if at == place]


REASON: Final = "attribution_reason"
MOVED_FROM: Final = "moved_from"
"""Key of the answers of the act that charted a moved entry: which patient it came from."""
FROM_SYSTEM: Final = "from_system"
FROM_KIND: Final = "from_kind"
"""Keys of the answers of an act: name and kind of the system that sent what a person charted."""
MOVED_TO: Final = "Moved to "
"""How the reason of a retraction begins whose entry was moved to another patient."""

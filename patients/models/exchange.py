"""Tables of other systems: who they are, what they sent, and what became of it.

Messages, keys, held items and decisions are append-only. Of a system a few columns
change; the database keeps the earlier row at each change.
"""

from __future__ import annotations

import uuid
from typing import Final

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from patients.models.charted_times import within_calendar
from patients.models.charting import ChartingAct, Entry
from patients.models.course import Course

SHA256_HEX: Final = 64


class SystemKind(models.TextChoices):
    """What another system is: it decides what is filed at once, unless somebody chose otherwise."""

    EHR = "ehr", "Health record"
    MONITOR = "monitor", "Monitor"
    LABORATORY = "laboratory", "Laboratory"
    PUMP = "pump", "Pump"

    @property
    def is_device(self) -> bool:
        """Whether it sends what no person has looked at yet."""
        return self in (SystemKind.MONITOR, SystemKind.PUMP)


class ExternalSystem(models.Model):
    """Another system that sends or reads: one row each, with the user who is its author.

    ``mrn_system`` is the identifier system (a URI) of its record numbers. ``timezone`` is the zone
    of its times without an offset, ``charset`` that of messages which name none. ``filing`` says by
    kind of entry, and by ``default``, whether what it sends is charted (``file``) or proposed
    (``propose``); ``filing_of_wards`` says the same for a ward, by its id as text. A kind that is
    not in ``may_chart_kinds`` is always proposed; an empty list is every kind.
    ``thinning_minutes``: of a monitor that sends often, one set of signs in so many minutes is
    charted or proposed; None is each.

    ``matches_by_bed``: a message without a patient is about the course in its ward and bed, and is
    always proposed. ``allowed_addresses`` are the addresses or networks that it may send from by
    HL7 v2; none listed is none allowed. ``accepts_other_types``: HL7 v2 messages of types that are
    not read here are accepted and kept; else they are refused and kept. ``obeys_no_answer``: where
    MSH-15 says that no answer is wanted, none is sent.

    ``name``, ``kind`` and ``user`` never change: they stand on entries. Who changed the row last
    stands in it; the database keeps the earlier row as an ``ExternalSystemChange``.
    """

    name = models.CharField(max_length=60, unique=True)
    kind = models.CharField(max_length=12, choices=SystemKind)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="external_system"
    )
    mrn_system = models.CharField(max_length=300, blank=True)
    timezone = models.CharField(max_length=60)
    charset = models.CharField(max_length=20, default="utf-8")
    filing = models.JSONField(default=dict)
    filing_of_wards = models.JSONField(default=dict, blank=True)
    may_chart_kinds = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    thinning_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    matches_by_bed = models.BooleanField(default=False)
    allowed_addresses = ArrayField(models.CharField(max_length=50), default=list, blank=True)
    accepts_other_types = models.BooleanField(default=False)
    obeys_no_answer = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )

    class Meta:
        ordering = ("name",)
        constraints = (
            models.CheckConstraint(name="external_system_named", condition=~Q(name="")),
            models.CheckConstraint(
                name="external_system_known_kind", condition=Q(kind__in=SystemKind.values)
            ),
            models.CheckConstraint(
                name="external_system_thins_by_minutes",
                condition=Q(thinning_minutes=None) | Q(thinning_minutes__range=(1, 240)),
            ),
        )

    def __str__(self) -> str:
        return self.name


class ExternalSystemChange(models.Model):
    """The row of a system before a change, as JSON; a trigger writes it."""

    system = models.ForeignKey(ExternalSystem, on_delete=models.PROTECT, related_name="changes")
    row_before = models.JSONField()
    until = models.DateTimeField()

    class Meta:
        ordering = ("-until",)

    def __str__(self) -> str:
        return f"{self.system_id} until {self.until:%Y-%m-%d %H:%M}"


class MessageFormat(models.TextChoices):
    """How a message is written."""

    FHIR = "fhir", "FHIR"
    HL7_V2 = "hl7v2", "HL7 v2"
    FLOWSHEET = "flowsheet", "Flowsheet"


class Verdict(models.TextChoices):
    """What became of a message.

    ``NOT_ACCEPTED`` was understood, and may be accepted when it comes again (no such patient);
    ``REJECTED`` will never be. ``FAILED`` is a fault of ours: it is tried again when it comes
    again.
    """

    ACCEPTED = "accepted", "Accepted"
    NOT_ACCEPTED = "not_accepted", "Not accepted"
    REJECTED = "rejected", "Rejected"
    FAILED = "failed", "Failed here"


class InboundMessage(models.Model):
    """A message as it came: its bytes, and what became of it.

    ``control_id`` is the sender's own name of the message; ``digest`` is SHA-256 of ``raw``, in
    hex. The same of both again is the same message: once accepted it is answered as before. One
    that was not accepted is tried again, and has a further row where the verdict is another then.
    ``reason`` is a reason word of the exchange, empty where it was accepted. ``answer`` is what was
    answered, in the form of its format. ``filed``, ``held`` and ``remarks`` count its statements;
    ``remarks`` has reason, place and words of each remark; ``alone``: on what was neither charted
    nor held. ``course`` is the
    one that it is about, None where none was found. ``address`` is where it came from.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    system = models.ForeignKey(
        ExternalSystem, on_delete=models.PROTECT, related_name="messages", db_index=False
    )
    control_id = models.CharField(max_length=200)
    digest = models.CharField(max_length=SHA256_HEX)
    format = models.CharField(max_length=10, choices=MessageFormat)
    raw = models.BinaryField()
    charset = models.CharField(max_length=20, blank=True)
    received_at = models.DateTimeField()
    verdict = models.CharField(max_length=12, choices=Verdict)
    reason = models.CharField(max_length=60, blank=True)
    answer = models.JSONField(default=dict, blank=True)
    filed = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)
    remarks = models.JSONField(default=list, blank=True)
    course = models.ForeignKey(
        Course,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="messages",
        db_index=False,
    )
    address = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="message_once", fields=("system", "control_id", "digest", "verdict")
            ),
            models.CheckConstraint(
                name="message_known_verdict", condition=Q(verdict__in=Verdict.values)
            ),
            models.CheckConstraint(
                name="message_known_format", condition=Q(format__in=MessageFormat.values)
            ),
            models.CheckConstraint(
                name="message_accepted_or_says_why",
                condition=Q(verdict=Verdict.ACCEPTED, reason="")
                | (~Q(verdict=Verdict.ACCEPTED) & ~Q(reason="") & Q(filed=0)),
            ),
            models.CheckConstraint(
                name="message_in_calendar", condition=within_calendar("received_at")
            ),
        )
        indexes = (
            models.Index(name="message_of_system", fields=("system", "-received_at")),
            models.Index(name="message_of_course", fields=("course", "-received_at")),
        )

    def __str__(self) -> str:
        return f"{self.control_id}: {self.verdict}"


class KeyStanding(models.TextChoices):
    """What became of a statement; the words are those of the converter (``KeyState``)."""

    CHARTED = "charted", "Charted"
    WAITING = "waiting", "Waiting for another part"
    ASIDE = "aside", "Held, or as charted by people"
    RETRACTED = "retracted", "Retracted"


class SourceKey(models.Model):
    """A key of another system as it came in one message, and the entry that it is charted in.

    ``number`` is its order in the message. Rows of one key follow one another in order of ``id``.
    ``entry`` None: it is charted in none. ``statement`` is what was sent, as the converter wrote it
    and reads it again; ``at`` is its clinical time, None where it has none. ``of_infusion``: it is
    about a drug that runs, which may end long after.
    """

    system = models.ForeignKey(
        ExternalSystem, on_delete=models.PROTECT, related_name="keys", db_index=False
    )
    course = models.ForeignKey(
        Course, on_delete=models.PROTECT, related_name="source_keys", db_index=False
    )
    message = models.ForeignKey(
        InboundMessage, on_delete=models.PROTECT, related_name="keys", db_index=False
    )
    number = models.PositiveIntegerField()
    key = models.CharField(max_length=500)
    version = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001 - "" differs
    entry = models.ForeignKey(
        Entry, null=True, blank=True, on_delete=models.PROTECT, related_name="source_keys"
    )
    state = models.CharField(max_length=10, choices=KeyStanding)
    statement = models.JSONField(null=True, blank=True)
    at = models.DateTimeField(null=True, blank=True)
    of_infusion = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(name="source_key_in_order", fields=("message", "number")),
            models.CheckConstraint(
                name="source_key_known_state", condition=Q(state__in=KeyStanding.values)
            ),
        )
        indexes = (
            models.Index(name="source_key_by_key", fields=("course", "system", "key")),
            models.Index(name="source_key_by_time", fields=("course", "system", "at")),
            models.Index(
                name="source_key_of_infusion",
                fields=("course", "system"),
                condition=Q(of_infusion=True),
            ),
        )

    def __str__(self) -> str:
        return f"{self.key} version {self.version}"


class HeldItem(models.Model):
    """A statement of a message that is not charted but shown to people, until somebody decides.

    ``reason`` is a reason word of the exchange, ``place`` where in the message it stands, ``what``
    what was sent, in plain words. ``proposal`` is the entry that one tap charts, in the words of
    the course file; None where none can be proposed. ``key`` and ``version`` are those of its
    source. ``count`` is how often it occurs (a flowsheet's unknown item). ``number`` is its order
    in the message; ``follows`` the item that it came out of, by a new local code.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    message = models.ForeignKey(
        InboundMessage, on_delete=models.PROTECT, related_name="held_items", db_index=False
    )
    number = models.PositiveIntegerField()
    place = models.CharField(max_length=300)
    reason = models.CharField(max_length=60)
    what = models.TextField(blank=True)
    course = models.ForeignKey(
        Course,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="held_items",
        db_index=False,
    )
    at = models.DateTimeField(null=True, blank=True)
    key = models.CharField(max_length=500, blank=True)
    version = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001 - as of a key
    proposal = models.JSONField(null=True, blank=True)
    count = models.PositiveIntegerField(default=1)
    held_at = models.DateTimeField()
    follows = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="followed_by"
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(name="held_item_in_order", fields=("message", "number")),
            models.CheckConstraint(name="held_item_says_why", condition=~Q(reason="")),
            models.CheckConstraint(name="held_item_occurs", condition=Q(count__gte=1)),
            models.CheckConstraint(
                name="held_item_in_calendar",
                condition=within_calendar("held_at") & (Q(at=None) | within_calendar("at")),
            ),
        )
        indexes = (
            models.Index(name="held_item_of_course", fields=("course", "-held_at")),
            models.Index(name="held_item_of_key", fields=("course", "key")),
        )

    def __str__(self) -> str:
        return f"{self.reason} at {self.place}"


class Decided(models.TextChoices):
    """What became of a held item."""

    CHARTED = "charted", "Charted"
    DISMISSED = "dismissed", "Dismissed"
    MAPPED = "mapped", "Mapped by a local code"
    CLOSED = "closed", "Closed by its sender"


WITHDRAWN: Final = "Its sender withdrew it. Nothing was charted."
"""Why an item is closed whose sender cancelled or retracted it."""


class HeldDecision(models.Model):
    """What became of a held item, once: by whom, when and why.

    ``act`` is the act that charted it. An item is closed by its own system, where it sends the
    statement again so that it can be charted, or withdraws it; ``why`` then says so.
    """

    item = models.OneToOneField(HeldItem, on_delete=models.PROTECT, related_name="decision")
    what = models.CharField(max_length=10, choices=Decided)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    author_name = models.CharField(max_length=310)
    author_role = models.CharField(max_length=20)
    at = models.DateTimeField()
    why = models.CharField(max_length=300, blank=True)
    act = models.ForeignKey(
        ChartingAct, null=True, blank=True, on_delete=models.PROTECT, related_name="decisions"
    )

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="held_decision_known_word", condition=Q(what__in=Decided.values)
            ),
            models.CheckConstraint(
                name="held_decision_charted_by_act",
                condition=Q(what=Decided.CHARTED, act__isnull=False)
                | (~Q(what=Decided.CHARTED) & Q(act=None)),
            ),
            models.CheckConstraint(
                name="held_decision_dismissed_says_why",
                condition=~Q(what=Decided.DISMISSED) | ~Q(why=""),
            ),
            models.CheckConstraint(
                name="held_decision_in_calendar", condition=within_calendar("at")
            ),
        )

    def __str__(self) -> str:
        return f"{self.what} at {self.at:%Y-%m-%d %H:%M}"

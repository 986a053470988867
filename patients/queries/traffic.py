"""Read what other systems sent, in numbers: for administrators, who see no patient."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Max, Q, QuerySet, Sum
from django.db.models.functions import TruncHour

from patients.models import ExternalSystem, HeldItem, InboundMessage, Verdict
from patients.queries.held import is_silent

HOURS_SHOWN: Final = 24
FAULTS_AT_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class SystemRow:
    """A system as the list shows it: when it was heard last, and what it sent in a day."""

    system: ExternalSystem
    heard_at: datetime | None
    messages: int
    faults: int
    waiting: int
    is_silent: bool


def system_rows(now: datetime, search: str = "") -> list[SystemRow]:
    """Read every system whose name fits, in order of names."""
    since = now - timedelta(hours=HOURS_SHOWN)
    today = Q(messages__received_at__gt=since)
    found = (
        ExternalSystem.objects.filter(name__icontains=search)
        if search
        else (ExternalSystem.objects.all())
    )
    found = found.annotate(
        heard_at=Max("messages__received_at"),
        day=Count("messages", filter=today),
        faults=Count("messages", filter=today & ~Q(messages__verdict=Verdict.ACCEPTED)),
    )
    waiting = dict(
        HeldItem.objects.filter(decision=None)
        .order_by()
        .values_list("message__system")
        .annotate(count=Count("pk"))
    )
    return [
        SystemRow(
            one,
            one.heard_at,
            one.day,
            one.faults,
            waiting.get(one.pk, 0),
            one.is_active and one.heard_at is not None and is_silent(one, one.heard_at, now),
        )
        for one in found.order_by("-is_active", "name")
    ]


@dataclass(frozen=True, slots=True)
class Hour:
    """The messages of one hour, by verdict, and how many of their statements were filed or wait."""

    begins: datetime
    accepted: int
    not_accepted: int
    rejected: int
    failed: int
    filed: int
    held: int

    @property
    def messages(self) -> int:
        return self.accepted + self.not_accepted + self.rejected + self.failed


def hours_of(now: datetime, system: ExternalSystem | None = None) -> list[Hour]:
    """Read the last day by hour, the latest first; hours without a message are left out."""
    found = _of(system).filter(received_at__gt=now - timedelta(hours=HOURS_SHOWN))
    rows = (
        found.order_by()
        .annotate(hour=TruncHour("received_at"))
        .values("hour")
        .annotate(
            accepted=_count(Verdict.ACCEPTED),
            not_accepted=_count(Verdict.NOT_ACCEPTED),
            rejected=_count(Verdict.REJECTED),
            failed=_count(Verdict.FAILED),
            of_filed=Sum("filed"),
            of_held=Sum("held"),
        )
        .order_by("-hour")
    )
    return [
        Hour(
            row["hour"],
            row["accepted"],
            row["not_accepted"],
            row["rejected"],
            row["failed"],
            row["of_filed"],
            row["of_held"],
        )
        for row in rows
    ]


def _count(verdict: Verdict) -> Count:
    return Count("pk", filter=Q(verdict=verdict))


def faults_of(now: datetime, system: ExternalSystem | None = None) -> list[InboundMessage]:
    """Read the messages of a week that were not accepted, the latest first, without their bytes."""
    found = _of(system).filter(
        ~Q(verdict=Verdict.ACCEPTED), received_at__gt=now - timedelta(days=7)
    )
    found = found.select_related("system").defer("raw", "answer").order_by("-received_at")
    return list(found[:FAULTS_AT_MOST])


def read_fault(message_id: uuid.UUID) -> InboundMessage | None:
    """Read a message that was not accepted, with its system; None where there is none."""
    refused = InboundMessage.objects.exclude(verdict=Verdict.ACCEPTED).filter(pk=message_id)
    return refused.select_related("system").first()


def _of(system: ExternalSystem | None) -> QuerySet[InboundMessage]:
    messages = InboundMessage.objects.all()
    return messages if system is None else messages.filter(system=system)


@dataclass(frozen=True, slots=True)
class WaitingCode:
    """A code of HL7 v2 that is not known, and how many items wait with it."""

    coding_system: str
    code: str
    text: str
    unit: str
    count: int


def waiting_codes(segments: Iterable[str]) -> list[WaitingCode]:
    """Count the codes of OBX segments (OBX-3, with the unit of OBX-6), the most frequent first."""
    counts: dict[tuple[str, str, str, str], int] = {}
    for segment in segments:
        fields = segment.split("|")
        if fields[0] != "OBX" or len(fields) < 4:
            continue
        code, text, coding_system = (*fields[3].split("^"), "", "", "")[:3]
        unit = fields[6].split("^")[0] if len(fields) > 6 else ""
        if code:
            key = (coding_system, code, text, unit)
            counts[key] = counts.get(key, 0) + 1
    found = [WaitingCode(*key, count) for key, count in counts.items()]
    return sorted(found, key=lambda one: (-one.count, one.code))

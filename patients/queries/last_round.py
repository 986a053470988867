"""Read what the last rounds of ICE and consciousness charted, for the form of the next one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from django.db.models import QuerySet
from django.db.models.fields.json import KeyTextTransform

from grading.engine.entries import Entry as ChartedEntry
from grading.engine.entries import NeuroSign
from patients.models import REASON, Course, Entry, EntryKind
from patients.queries.entries import not_replaced, parse_entry

ROUND_KINDS: Final = (
    EntryKind.ICE,
    EntryKind.CAPD,
    EntryKind.CONSCIOUSNESS,
    EntryKind.SEIZURE,
    EntryKind.NEURO_SIGN,
)
"""The kinds that one round charts."""
HANDWRITING: Final = "Handwriting: "
"""How the note of an ICE entry begins that says how the sentence was written."""


class EarlierEntry(NamedTuple):
    """An entry of an earlier round, by whom, and why it is attributed as it is."""

    entry: ChartedEntry
    author: str
    reason: str


class Handwriting(NamedTuple):
    """What the first sample of handwriting was, and when."""

    text: str
    at: datetime


class LastRound(NamedTuple):
    """The latest entry in force about each thing: its kind, of a sign "neuro_sign.<sign>"."""

    latest: Mapping[str, EarlierEntry]
    handwriting: Handwriting | None


def read_last_round(course: Course) -> LastRound:
    """Read the latest entry about each thing of a round, of those since the infusion."""
    of_course = Entry.objects.filter(not_replaced(), course=course, at__gte=course.infused_at)
    rows = (
        of_course.filter(kind__in=ROUND_KINDS)
        .annotate(sign=KeyTextTransform("sign", "body"))
        .order_by("kind", "sign", "-at", "-recorded_at", "-place")
        .distinct("kind", "sign")
        .select_related("recorded_by", "act")
    )
    latest = {}
    for row in rows:
        entry = parse_entry(row)
        reason = row.act.answers.get(REASON, "")
        latest[_thing(entry)] = EarlierEntry(entry, row.recorded_by.display_name, reason)
    return LastRound(latest, _first_handwriting(of_course) if EntryKind.ICE in latest else None)


def _thing(entry: ChartedEntry) -> str:
    return f"{entry.kind}.{entry.sign}" if isinstance(entry, NeuroSign) else entry.kind


def _first_handwriting(of_course: QuerySet[Entry]) -> Handwriting | None:
    written = of_course.filter(kind=EntryKind.ICE, body__note__startswith=HANDWRITING)
    first = written.order_by("at", "recorded_at", "place").first()
    if first is None:
        return None
    text = first.body["note"].removeprefix(HANDWRITING).splitlines()[0]
    return Handwriting(text, first.at)

"""Rows in grading's own words: what a course's facts and entries mean to the engine."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from crs_app.accounts.models import User
from grading.course_file import read_entry
from grading.engine.entries import Entry as ChartedEntry
from grading.engine.facts import CourseFacts, PolicyFrom
from patients.models import SAYS_CONCENTRATION, Course, Entry, EntryKind
from patients.policy import Ruling, rulings_of


def facts_of(course: Course, rulings: Sequence[Ruling] | None = None) -> CourseFacts:
    """What grading knows of a course before its entries; needs ``patient`` and ``policy`` at hand.

    Weight and baseline are not among them: they are entries like any other. ``rulings`` None reads
    which policies grade it.
    """
    first, *later = rulings_of(course) if rulings is None else rulings
    return CourseFacts(
        infused_at=course.infused_there,
        birth_date=course.patient.birth_date,
        age_years=course.age_years,
        policy=first.policy,
        policies=tuple(PolicyFrom(ruling.valid_from, ruling.policy) for ruling in later),
    )


_SYRINGE: Final = ("body__drug", "body__concentration_per_ml", "at")
_SYRINGES_READ: Final = 100


class EntryRow(NamedTuple):
    """An entry as it is read for grading, without the weight of a model."""

    pk: uuid.UUID
    kind: str
    at: datetime
    recorded_at: datetime
    replaces_id: uuid.UUID | None
    body: dict[str, Any]
    username: str
    first_name: str
    last_name: str

    @property
    def author(self) -> str:
        author = User(username=self.username, first_name=self.first_name, last_name=self.last_name)
        return author.display_name


def charted(entry: Entry | EntryRow) -> ChartedEntry:
    """A row as grading reads it, by the one reader that files and forms have too."""
    words = dict(entry.body)
    words["id"] = str(entry.pk)
    words["kind"] = entry.kind
    words["at"] = entry.at.isoformat()
    words["recorded_at"] = entry.recorded_at.isoformat()
    if entry.replaces_id is not None:
        words["replaces"] = str(entry.replaces_id)
    return read_entry(words)


def all_charted(entries: Iterable[Entry | EntryRow]) -> list[ChartedEntry]:
    return [charted(entry) for entry in entries]


def in_force(course_id: uuid.UUID, *, after: datetime | None) -> list[EntryRow]:
    """The entries that count, in the engine's order: those after an instant, and every baseline.

    Those replaced by a correction or a retraction count no more; ``after`` None is from the start.
    """
    entries = _counting(course_id)
    if after is not None:
        entries = entries.filter(Q(at__gt=after) | Q(kind=EntryKind.BASELINE))
    return _rows(entries)


def weights_in_force(course_id: uuid.UUID, since: datetime) -> list[EntryRow]:
    """The weights that count, in order: the latest at or before ``since``, and those after it."""
    weights = _counting(course_id).filter(kind=EntryKind.WEIGHT)
    held = weights.filter(at__lte=since).order_by("-at").values("at")[:1]
    return _rows(weights.filter(at__gte=Coalesce(Subquery(held), since)))


def last_before(
    course_id: uuid.UUID,
    at: datetime,
    kind: str,
    about: Mapping[str, str],
    *,
    apart_from: uuid.UUID | None = None,
) -> EntryRow | None:
    """The last entry of ``kind`` at or before ``at`` that counts and says what ``about`` says."""
    entries = _counting(course_id).filter(kind=kind, at__lte=at, body__contains=about)
    if apart_from is not None:
        entries = entries.exclude(pk=apart_from)
    rows = _rows(entries.reverse()[:1])
    return rows[0] if rows else None


def concentrations_of(course_id: uuid.UUID) -> list[tuple[str, Any, datetime]]:
    """Drug, concentration per mL and time of the course's latest infusions that say one."""
    said = _counting(course_id).filter(SAYS_CONCENTRATION).reverse()
    return list(said.values_list(*_SYRINGE)[:_SYRINGES_READ])


def concentrations_on_ward(ward: str) -> list[tuple[str, Any, datetime]]:
    """The same of the infusions that were recorded last on ``ward``, whoever they were for."""
    said = Entry.objects.filter(SAYS_CONCENTRATION, course__ward=ward)
    standing = said.filter(~Exists(Entry.objects.filter(replaces=OuterRef("pk"))))
    return list(standing.order_by("-recorded_at").values_list(*_SYRINGE)[:_SYRINGES_READ])


def in_force_for_guidance(course: Course) -> list[EntryRow]:
    """What guidance needs beside a standing, in the engine's order: few entries, however long."""
    given = Q(kind__in=(EntryKind.TREATMENT, EntryKind.RISK, EntryKind.BASELINE))
    prior = Q(kind__in=(EntryKind.LAB, EntryKind.TOXICITY, EntryKind.SYMPTOM))
    return _rows(_counting(course.pk).filter(given | (prior & Q(at__lt=course.infused_at))))


def _counting(course_id: uuid.UUID) -> QuerySet[Entry]:
    return (
        Entry.objects.filter(course_id=course_id)
        .filter(~Exists(Entry.objects.filter(replaces=OuterRef("pk"))))
        .exclude(kind=EntryKind.RETRACTION)
        .order_by("at", "recorded_at", "place")
    )


def _rows(entries: QuerySet[Entry]) -> list[EntryRow]:
    author = ("recorded_by__username", "recorded_by__first_name", "recorded_by__last_name")
    columns = ("id", "kind", "at", "recorded_at", "replaces_id", "body", *author)
    return [EntryRow(*row) for row in entries.values_list(*columns)]

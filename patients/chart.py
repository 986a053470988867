"""Rows in grading's own words: what a course's facts and entries mean to the engine."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.db.models import Q

from crs_app.accounts.models import User
from grading.course_file import read_entry
from grading.engine.entries import Entry as ChartedEntry
from grading.engine.facts import CourseFacts
from grading.engine.policy import Policy, policy_from
from patients.models import Course, Entry, EntryKind, PolicyVersion


def facts_of(course: Course) -> CourseFacts:
    """What grading knows of a course before its entries; needs ``patient`` and ``policy`` at hand.

    Weight and baseline are not among them: they are entries like any other.
    """
    return CourseFacts(
        infused_at=course.infused_there,
        birth_date=course.patient.birth_date,
        age_years=course.age_years,
        policy=_policy_of(course.policy),
    )


def _policy_of(version: PolicyVersion) -> Policy:
    return _policy(version.digest, tuple(sorted(version.values.items())))


@lru_cache(maxsize=64)
def _policy(_digest: str, values: tuple[tuple[str, Any], ...]) -> Policy:
    return policy_from(dict(values))


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


def in_force(
    course_id: uuid.UUID, *, after: datetime | None, kind: str | None = None
) -> list[EntryRow]:
    """The entries that count, in the engine's order: those after an instant, and every baseline.

    Those replaced by a correction or a retraction count no more; ``after`` None is from the start.
    ``kind`` restricts to one kind.
    """
    entries = (
        Entry.objects.filter(course_id=course_id, replaced_by__isnull=True)
        .exclude(kind=EntryKind.RETRACTION)
        .order_by("at", "recorded_at", "place")
    )
    if after is not None:
        entries = entries.filter(Q(at__gt=after) | Q(kind=EntryKind.BASELINE))
    if kind is not None:
        entries = entries.filter(kind=kind)
    author = ("recorded_by__username", "recorded_by__first_name", "recorded_by__last_name")
    columns = ("id", "kind", "at", "recorded_at", "replaces_id", "body", *author)
    return [EntryRow(*row) for row in entries.values_list(*columns)]

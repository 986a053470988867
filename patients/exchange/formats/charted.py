"""What a chart knows of a course beyond its course file, as plain values for an export.

A course file names no authors. The command that converts files therefore writes none; an export of
the database gives acts with their authors, answers to guidance, and the stored grade periods.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Author:
    """Who charted: by user name, name and role of then. ``is_interface``: no person but a system.

    A user name is never a secret; nothing that signs somebody in stands here.
    """

    username: str
    name: str
    role: str
    is_interface: bool = False


@dataclass(frozen=True, slots=True)
class SourceMessage:
    """The message of another system that an act was made from, by its control id."""

    system: str
    control_id: str


@dataclass(frozen=True, slots=True)
class Act:
    """Entries that were recorded together, by their ids; retractions too.

    ``verifier`` is who charted from the inbox what another system sent.
    """

    recorded_at: datetime
    entries: Sequence[str]
    author: Author | None = None
    reason: str = ""
    message: SourceMessage | None = None
    verifier: Author | None = None


@dataclass(frozen=True, slots=True)
class AnsweredItem:
    """The answer to an item of guidance, in words: ``code`` is the item (``tocilizumab.dose``)."""

    code: str
    at: datetime
    answer: str
    author: Author | None = None


@dataclass(frozen=True, slots=True)
class StoredPeriod:
    """A grade period as it is stored; half-open, ``end`` None is for ever.

    ``criteria`` and ``unknown`` are those of the grader's answer (``grading.course_result``).
    ``ruleset`` is key and version (``lee-2014/2``), ``known_from`` when the period was stored.
    """

    start: datetime
    end: datetime | None
    grade: int
    at_most: int
    criteria: Sequence[Mapping[str, Any]]
    unknown: Sequence[Mapping[str, Any]]
    ruleset: str
    policy_digest: str
    known_from: datetime


@dataclass(frozen=True, slots=True)
class ChartRecord:
    """The chart's own part of an export; all of it may be absent.

    ``periods`` None: the course file is graded by the present rules. Without ``acts``, entries of
    one recording time are one act of an author who is not known.
    """

    course_id: str = ""
    patient_id: str = ""
    ward: str = ""
    bed: str = ""
    ended_at: datetime | None = None
    acts: Sequence[Act] = ()
    answers: Sequence[AnsweredItem] = ()
    periods: Sequence[StoredPeriod] | None = None


NOTHING_MORE = ChartRecord()
"""A course file alone."""

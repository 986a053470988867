"""The status of a course at one instant: grade, bound, findings, and what the clock will change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from grading.engine.entries import Entry
from grading.engine.periods import Criterion, Period, Unknown
from grading.engine.policy import DEFAULT_POLICY, Policy


@dataclass(frozen=True, slots=True)
class Excluded:
    """A finding left out of the grade because it is attributed to another cause."""

    what: str
    entry_id: str


@dataclass(frozen=True, slots=True)
class CurrentStatus:
    """The status of a course at ``at``; grade and bound are None where nothing is graded.

    ``upcoming``: the periods that the clock, or a policy decided for later, will open. ``latest``:
    the latest entry by the key of its thing; ``stale``: those keys whose entry is older than its
    window (shown, never graded by). ``excluded``: findings of another cause. ``policy`` is the one
    in force. ``ended``: a death has ended the course.
    """

    at: datetime
    grade: int | None
    at_most: int | None
    criteria: tuple[Criterion, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    upcoming: tuple[Period, ...] = ()
    latest: Mapping[str, Entry] = field(default_factory=dict)
    stale: frozenset[str] = frozenset()
    weight_kg: Decimal | None = None
    ended: bool = False
    policy: Policy = DEFAULT_POLICY

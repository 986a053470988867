"""A course graded anew from its last checkpoint on, for an act or for one that is only tried."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from grading.engine.periods import Period
from grading.service import RULESET_VERSION, Regraded, ResumePoint, regrade
from patients.history import Difference
from patients.models import Course, Entry, EntryKind
from patients.queries.entries import EntryRow, Reread, all_charted, facts_of, reread, row_at_hand
from patients.queries.policies import Ruling, rulings_for
from patients.queries.snapshot import Moment, moment_of
from patients.stored import Revision

_BEFORE_EVERYTHING: Final = datetime.min.replace(tzinfo=UTC)


def with_new(rows: Sequence[EntryRow], entries: Sequence[Entry]) -> list[EntryRow]:
    """``rows`` in force before an act, and after it: as they would be read again."""
    replaced = {entry.replaces_id for entry in entries}
    new = [
        row_at_hand(entry)
        for entry in entries
        if entry.kind != EntryKind.RETRACTION and entry.pk not in replaced
    ]
    # What is new was recorded last: it follows whatever has its instant.
    stay = [row for row in rows if row.pk not in replaced]
    return sorted([*stay, *new], key=lambda row: row.at)


def regraded_from(
    course: Course,
    resume: ResumePoint | None,
    rows: Sequence[EntryRow],
    now: datetime,
    rulings: Sequence[Ruling],
) -> tuple[Regraded, Reread]:
    """The course graded from its resume point on, and which of ``rows`` that and guidance need."""
    read = reread(course, rows, after=resume.at if resume else None)
    facts = facts_of(course, rulings)
    return regrade(facts, all_charted(read.in_force), resume=resume, now=now), read


def revision_by(moment: Moment, regraded: Regraded, difference: Difference) -> Revision:
    """What ``regraded`` changes; its checkpoints take the place of those after the resume point."""
    resumed_at = moment.resume.at if moment.resume else _BEFORE_EVERYTHING
    has_later = moment.last_checkpoint_at is not None and moment.last_checkpoint_at > resumed_at
    dropped_after = resumed_at if has_later else None
    return Revision(difference.closed, difference.opened, regraded.checkpoints, dropped_after)


@dataclass(frozen=True, slots=True)
class WouldBe:
    """``periods`` after ``resumed_at`` (None: all); the one open there goes on until then."""

    resumed_at: datetime | None
    continuing_until: datetime | None
    periods: tuple[Period, ...]


def graded_if(course: Course, decided: Sequence[Ruling]) -> WouldBe:
    """What an act would regrade that decided ``decided``; stores nothing."""
    moment = moment_of(
        course,
        form_id=uuid.uuid4(),
        changed_at=min(one.valid_from for one in decided),
        recorded_at=None,
        ruleset_version=RULESET_VERSION,
    )
    rulings = rulings_for(course, [*moment.decided, *decided])
    regraded, _ = regraded_from(course, moment.resume, moment.entries, moment.clock, rulings)
    resumed_at = moment.resume.at if moment.resume else None
    return WouldBe(resumed_at, regraded.continuing_until, regraded.periods)

"""Build the rows of the timeline: entries, grade changes, answers and moves."""

from __future__ import annotations

import uuid
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from grading.engine import entries as grading_entries
from grading.engine.algorithm import Reply
from patients.display.text import attribution_text, clock_text, entry_text, late_text, weight_at
from patients.models import REASON, EntryKind, Move, Transfer, confirmed_of
from patients.queries.guidance_answers import AnswerRow
from patients.queries.timeline import MoveRow, TimelineEntry, TimelinePage

GRADE_CHANGE: Final = "grade_change"
GUIDANCE: Final = "guidance"
TRANSFER: Final = "transfer"
"""Kinds of timeline rows that are not entries."""
_SHOWN_AS_TEXT: Final = (grading_entries.Note, grading_entries.NotObserved)


@dataclass(frozen=True, slots=True)
class Superseded:
    """Entry that was corrected: its text; reason, author and time of the correction."""

    old_text: str
    reason: str
    author: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """Row for an entry, a change of grade, an answer or a move; ``key`` is its HTML id."""

    key: str
    at: datetime
    kind: str
    text: str
    icon_grade: int | None = None
    grade_before: int | None = None
    author: str = ""
    recorded_at: datetime | None = None
    late_text: str = ""
    corrected: tuple[Superseded, ...] = ()
    retracted: bool = False
    retract_reason: str = ""
    note: str = ""
    attribution: str = "crs"
    attribution_text: str = ""
    attribution_reason: str = ""
    confirmed: tuple[str, ...] = ()
    can_correct: bool = False
    can_retract: bool = False
    entry_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """Page of rows, newest first; ``older`` is the cursor of the next page, empty at the end."""

    rows: list[TimelineRow]
    older: str
    kind: str


def build_timeline(page: TimelinePage, kind: str, correctable: Container[str]) -> Timeline:
    """Build the rows of a page, newest first.

    A change of grade is above the entries of the same time; answers and moves are among them.
    ``correctable`` are the kinds of entries that the user may correct.
    """
    entries = build_rows(page.entries, page.chains, page.weights, correctable)
    others = [*map(answer_row, page.answers), *map(move_row, page.moves), *entries]
    changes = [
        change_row(one.at, one.before, one.grade, {"criteria": one.criteria})
        for one in page.grade_changes
    ]
    rows = in_timeline_order([*changes, *others])
    return Timeline(rows, str(entries[-1].entry_id) if page.has_older else "", kind)


def in_timeline_order(rows: Iterable[TimelineRow]) -> list[TimelineRow]:
    """Sort newest first; of one time, changes of grade first, all else in the order of ``rows``."""
    changes_first = sorted(rows, key=lambda row: row.kind != GRADE_CHANGE)
    return sorted(changes_first, key=lambda row: row.at, reverse=True)


def build_rows(
    entries: Iterable[TimelineEntry],
    chains: Mapping[uuid.UUID, TimelineEntry],
    weights: Sequence[grading_entries.Weight],
    correctable: Container[str],
) -> list[TimelineRow]:
    """Build the rows of ``entries``, in their order.

    ``chains`` are the entries that they corrected, by id; ``weights`` convert doses.
    """
    return [
        _entry_row(one, _corrected_by(one, chains, weights), weights, correctable)
        for one in entries
    ]


def _entry_row(
    entry: TimelineEntry,
    corrected: tuple[Superseded, ...],
    weights: Sequence[grading_entries.Weight],
    correctable: Container[str],
) -> TimelineRow:
    row, read, retraction = entry.row, entry.read, entry.retraction
    tags = attribution_text(read)
    can_retract = bool(correctable) and retraction is None
    return TimelineRow(
        key=f"entry-{row.pk}",
        at=row.at,
        kind=row.kind,
        text=entry_text(read, _weight(entry, weights)),
        author=row.author,
        recorded_at=row.recorded_at,
        late_text=late_text(row.at, row.recorded_at),
        corrected=corrected,
        retracted=retraction is not None,
        retract_reason=retraction or "",
        note="" if isinstance(read, _SHOWN_AS_TEXT) else read.note,
        attribution=read.attribution.value,
        attribution_text=tags,
        attribution_reason=entry.answers.get(REASON, "")
        if tags or row.kind == EntryKind.DEATH
        else "",
        confirmed=tuple(confirmed_of(entry.answers, entry.place)),
        can_correct=can_retract and row.kind in correctable,
        can_retract=can_retract,
        entry_id=row.pk,
    )


def _weight(entry: TimelineEntry, weights: Sequence[grading_entries.Weight]) -> Decimal | None:
    """Return the weight that converts the dose of ``entry``; None where it is no infusion."""
    if isinstance(entry.read, grading_entries.Vasopressor):
        return weight_at(weights, entry.row.at)
    return None


def _corrected_by(
    entry: TimelineEntry,
    chains: Mapping[uuid.UUID, TimelineEntry],
    weights: Sequence[grading_entries.Weight],
) -> tuple[Superseded, ...]:
    """Follow the chain of corrections behind ``entry``, latest first."""
    corrected, correction = [], entry
    while correction.row.replaces_id is not None:
        old = chains[correction.row.replaces_id]
        corrected.append(
            Superseded(
                old_text=entry_text(old.read, _weight(old, weights)),
                reason=correction.reason,
                author=correction.row.author,
                at=correction.row.recorded_at,
            )
        )
        correction = old
    return tuple(corrected)


def change_row(at: datetime, before: int, grade: int, findings: Mapping[str, Any]) -> TimelineRow:
    """Build the row of a change of grade, with the criterion that decides the new grade."""
    deciding = [c["explanation"] for c in findings["criteria"] if c["grade"] == grade]
    return TimelineRow(
        key=f"grade-{at.astimezone(UTC):%Y%m%dT%H%M%S%f}",
        at=at,
        kind=GRADE_CHANGE,
        icon_grade=grade,
        grade_before=before,
        text=deciding[0] if deciding else "no criterion is met",
    )


def answer_row(answer: AnswerRow) -> TimelineRow:
    """Build the row of an answer to guidance."""
    return TimelineRow(
        key=f"answer-{answer.pk}",
        at=answer.recorded_at,
        kind=GUIDANCE,
        text=f"{answer_text(answer)} · {answer.summary}",
        author=answer.author,
        recorded_at=answer.recorded_at,
    )


_REPLY_TEXTS: Final = {Reply.NOT_APPROPRIATE.value: "Not suitable"}


def answer_text(answer: AnswerRow) -> str:
    """Return the answer as text: "Not now, asks again at 13:18", "Not suitable: other cause"."""
    reply = _REPLY_TEXTS.get(answer.reply) or Reply(answer.reply).label
    if answer.returns_at is not None:
        return f"{reply}, asks again at {clock_text(answer.returns_at, answer.recorded_at)}"
    return f"{reply}: {answer.reason}" if answer.reason else reply


def move_row(move: MoveRow) -> TimelineRow:
    """Build the row of a move, an end or a reopening of a course."""
    return TimelineRow(
        key=f"transfer-{move.pk}",
        at=move.at,
        kind=TRANSFER,
        text=_move_text(move.what, place_text(*move.before), place_text(*move.after)),
        author=move.author,
        recorded_at=move.recorded_at,
        late_text=late_text(move.at, move.recorded_at),
        note=move.reason,
    )


def transfer_text(move: Transfer) -> str:
    """Return a transfer as text: "Moved from 7B 12 to ICU 3"."""
    return _move_text(
        move.what,
        place_text(move.from_ward, move.from_bed),
        place_text(move.to_ward, move.to_bed),
    )


def _move_text(what: str, before: str, after: str) -> str:
    if what == Move.ENDED:
        return f"Course closed ({before})"
    if what == Move.REOPENED:
        return f"Course reopened ({after})"
    return f"Moved from {before} to {after}"


def place_text(ward: str, bed: str) -> str:
    """Return ward and bed as text: "7B 12"."""
    return f"{ward} {bed}".strip()

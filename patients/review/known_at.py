"""The control that asks for another time known at: steps to what was recorded, and its slider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from grading.engine.sentences import inside_a_sentence
from grading.engine.vocabulary import VasopressorDrug
from patients.display.site_times import site_time
from patients.display.text import date_time_text
from patients.models import ActSource, EntryKind, Move
from patients.queries.recorded_changes import (
    MARKS_AT_MOST,
    Mark,
    Neighbours,
    RecordedChange,
    RecordedPart,
)
from patients.review.address import BadAddressError, ReviewAddress

_NAMED: Final = 2
_SOURCES: Final = {
    ActSource.POLICY: "policy changed",
    ActSource.RULESET: "new version of the grading rules",
    ActSource.IDENTITY: "identity corrected",
}
_MOVES: Final = {
    Move.MOVED: "moved to another bed",
    Move.ENDED: "course closed",
    Move.REOPENED: "course reopened",
}


@dataclass(frozen=True, slots=True)
class Step:
    """A step to what was recorded before or after; ``text`` says when it was, and what it was."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Offered:
    """One of the two instants of a time that the clocks showed twice: "02:30 (+02:00)"."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class KnownAtTool:
    """What the control shows; ``date`` and ``time`` are the fields, as they were typed.

    ``marks`` are drawn over the slider, which has ``places`` places. ``nothing_yet``: nothing had
    been recorded by then.
    """

    first: datetime | None
    before: Step | None
    after: Step | None
    marks: Sequence[Mark]
    places: int
    nothing_yet: bool
    date: str
    time: str
    error: str
    offered: Sequence[Offered]


def known_at_tool(
    found: Neighbours,
    address: ReviewAddress,
    refused: BadAddressError | None,
    query: Mapping[str, str],
) -> KnownAtTool:
    """Build the control; ``refused`` is why the time typed in ``query`` cannot be shown."""
    known_at = address.instants.known_at
    there = site_time(known_at)
    return KnownAtTool(
        first=found.first,
        before=_step(found.before, found.first),
        after=_step(found.after, found.first),
        marks=found.marks,
        places=MARKS_AT_MOST,
        nothing_yet=found.first is None or known_at < found.first,
        date=f"{there:%Y-%m-%d}" if refused is None else query.get("known_date", ""),
        time=f"{there:%H:%M}" if refused is None else query.get("known_time", ""),
        error="" if refused is None else str(refused),
        offered=[] if refused is None else [_offered(site_time(one)) for one in refused.offered],
    )


def _step(change: RecordedChange | None, first: datetime | None) -> Step | None:
    if change is None:
        return None
    what = _change_text(change, is_first=change.recorded_at == first)
    return Step(change.recorded_at, f"{date_time_text(change.recorded_at)}, {what}")


def _change_text(change: RecordedChange, *, is_first: bool) -> str:
    if change.what == "transfer":
        return _MOVES[Move(change.word)]
    if change.what == "review":
        return "signed"
    if change.word in _SOURCES:
        return _SOURCES[ActSource(change.word)]
    texts = list(dict.fromkeys(_part_text(part) for part in change.parts))
    if not texts:
        return "admission" if is_first else "answer to advice"
    more = f" and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    return f"{', '.join(texts[:_NAMED])}{more}"


def _part_text(part: RecordedPart) -> str:
    kind, drug = EntryKind(part.kind), part.drug
    name = kind.in_sentence if drug is None else inside_a_sentence(VasopressorDrug(drug).label)
    if part.is_retraction:
        return f"{name} marked as entered in error"
    return f"{name} corrected" if part.is_change else name


def _offered(at: datetime) -> Offered:
    offset = f"{at:%z}"
    return Offered(at, f"{at:%H:%M} ({offset[:3]}:{offset[3:5]})")

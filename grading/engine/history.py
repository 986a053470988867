"""A course's grade over time: the fold of all its entries, and what the clock adds after them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from grading.engine.checkpoint import Checkpoint, put_away
from grading.engine.entries import Entry
from grading.engine.periods import Opening
from grading.engine.state import CourseState

FOR_EVER: Final = datetime.max.replace(tzinfo=UTC)


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """By clinical time, then by time of charting; what is equal in both keeps its place."""
    return sorted(entries, key=lambda entry: (entry.at, entry.recorded_at))


def instants(entries: Iterable[Entry]) -> Iterator[tuple[datetime, list[Entry]]]:
    """Ordered entries by instant: what holds there holds once all of them are applied."""
    together: list[Entry] = []
    at: datetime | None = None
    for entry in entries:
        if entry.at != at:
            if at is not None:
                yield at, together
            at, together = entry.at, []
        together.append(entry)
    if at is not None:
        yield at, together


def fold(
    state: CourseState,
    entries: Sequence[Entry],
    *,
    checkpoint_every: Callable[[int], int] | None = None,
) -> tuple[list[Opening], list[Checkpoint]]:
    """Take ``state`` over ``entries`` (in order); the periods that open on the way.

    With ``checkpoint_every`` the state is put away after about as many entries each as it answers
    for the number of entries that still follow.
    """
    openings: list[Opening] = []
    checkpoints: list[Checkpoint] = []
    worded: dict[str, Any] = {}
    since_last, remaining = 0, len(entries)
    for at, together in instants(entries):
        openings += state.advance(at, together)
        since_last += len(together)
        remaining -= len(together)
        if checkpoint_every is None or not state.begun:
            continue
        if since_last >= checkpoint_every(remaining):
            checkpoints.append(put_away(state, worded))
            since_last = 0
    return openings, checkpoints


def project(state: CourseState) -> list[Opening]:
    """The periods that the clock alone will open after the state's instant."""
    return state.advance_clock(FOR_EVER)

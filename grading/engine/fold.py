"""The fold of entries over a course's state: its periods, checkpoints and projected periods."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from grading.engine.checkpoint import Checkpoint, save_state
from grading.engine.entries import Entry
from grading.engine.periods import Opening
from grading.engine.state import CourseState

FOR_EVER: Final = datetime.max.replace(tzinfo=UTC)


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """By clinical time, then by time of charting; what is equal in both keeps its place."""
    return sorted(entries, key=attrgetter("at", "recorded_at"))


def instants(entries: Iterable[Entry]) -> Iterator[tuple[datetime, list[Entry]]]:
    """Ordered entries by instant: what holds there holds once all of them are applied."""
    for at, together in groupby(entries, key=attrgetter("at")):
        yield at, list(together)


def _never(following: int) -> int:
    """After more entries than follow."""
    return following + 1


def fold(
    state: CourseState,
    entries: Sequence[Entry],
    *,
    checkpoint_after: Callable[[int], int] = _never,
) -> tuple[list[Opening], list[Checkpoint]]:
    """Advance ``state`` over ``entries`` (in order); returns periods that open, and checkpoints.

    With ``checkpoint_after`` checkpoints are made on the way. It returns, for the number of entries
    that still follow, after how many of them the next one is due; a checkpoint waits for the end of
    its instant.
    """
    openings: list[Opening] = []
    checkpoints: list[Checkpoint] = []
    cached_words: dict[str, Any] = {}
    passed, following = 0, len(entries)
    due = checkpoint_after(following)
    for at, together in instants(entries):
        openings += state.advance(at, together)
        passed += len(together)
        if passed >= due and state.begun:
            checkpoints.append(save_state(state, cached_words))
            following -= passed
            passed, due = 0, checkpoint_after(following)
    return openings, checkpoints


def project(state: CourseState) -> list[Opening]:
    """Return the periods that the clock alone will open after the state's instant."""
    return state.advance_clock(FOR_EVER)

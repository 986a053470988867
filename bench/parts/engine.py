"""The engine alone: entries a second from scratch, and what one more entry costs when resumed."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from statistics import median
from typing import NamedTuple

from bench.courses import charted
from bench.measure import Metric, Progress, spread
from bench.parts.save import SIZES
from crs_app.speedups.garbage_collector import collect_garbage_less_often
from grading.course_file import read_entry
from grading.engine.entries import Entry
from grading.service import CourseFacts, regrade

_LONG_ENOUGH_S = 0.1
_ROUNDS = 9


def measure() -> list[Metric]:
    """Return rates and times at each size, and the growth of the time from 10,000 to 100,000.

    The garbage collector is set as in the web server's processes. The sizes take turns: a machine
    that is slow for a second is slow for all.
    """
    collect_garbage_less_often()
    progress = Progress("engine", _ROUNDS)
    subjects = {size: _subjects(size) for size in SIZES}
    whole: dict[int, list[float]] = {size: [] for size in SIZES}
    one: dict[int, list[float]] = {size: [] for size in SIZES}
    for _ in range(_ROUNDS):
        for size, subject in subjects.items():
            whole[size].append(seconds_of(subject.from_scratch))
            one[size].append(seconds_of(subject.resumed) * 1000)
        progress.step()
    growth = [long / short for long, short in zip(whole[100_000], whole[10_000], strict=True)]
    metrics = []
    for size, subject in subjects.items():
        rates = [size / seconds for seconds in whole[size]]
        name = f"engine from scratch, {size:,}"
        metrics += [
            Metric(name, median(rates), "entries/s", spread(rates), target=100_000, at_least=True),
            Metric(
                f"engine resumed, {size:,}",
                median(one[size]),
                "ms",
                spread(one[size]),
                note=f"{subject.after_checkpoint} entries after the checkpoint",
            ),
        ]
    growing = Metric("engine, 100,000 to 10,000", median(growth), "x", spread(growth), target=11)
    return [*metrics, growing]


class _Subjects(NamedTuple):
    """A course graded from scratch, and with one more entry from its last checkpoint on."""

    from_scratch: Callable[[], object]
    resumed: Callable[[], object]
    after_checkpoint: int


def _subjects(size: int) -> _Subjects:
    facts, entries = parsed(size)
    checkpoint = regrade(facts, entries).checkpoints[-1].to_resume_point()
    rest = [entry for entry in entries if entry.at > checkpoint.at]
    now = entries[-1].at + timedelta(minutes=1)
    resumed = partial(regrade, facts, rest, resume=checkpoint, now=now)
    return _Subjects(partial(regrade, facts, entries), resumed, len(rest))


def seconds_of(work: Callable[[], object]) -> float:
    """Return the processor's time for one run of ``work``, repeated for a tenth of a second."""
    runs, begun = 0, time.process_time()
    while (passed := time.process_time() - begun) < _LONG_ENOUGH_S or not runs:
        work()
        runs += 1
    return passed / runs


def parsed(size: int) -> tuple[CourseFacts, list[Entry]]:
    """Return a course's facts and its entries as grading reads them."""
    infused_at = datetime(2026, 1, 1, tzinfo=UTC)
    entries = []
    for place, entry in enumerate(charted(size)):
        at = (infused_at + entry.after).isoformat()
        words = {**entry.body, "id": str(place), "kind": entry.kind, "at": at, "recorded_at": at}
        entries.append(read_entry(words))
    return CourseFacts(infused_at=infused_at, birth_date=date(1970, 3, 1)), entries

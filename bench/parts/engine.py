"""The engine alone: entries a second from scratch, and what one more entry costs when resumed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from statistics import median

from bench.courses import charted
from bench.measure import Metric, Progress, spread
from bench.parts.save import SIZES
from crs_app.collector import settle
from grading.course_file import read_entry
from grading.engine.entries import Entry
from grading.service import CourseFacts, regrade

_LONG_ENOUGH_S = 0.3
_ROUNDS = 3


def measure() -> list[Metric]:
    """Rates and times at every size, and how the time grows from 10,000 to 100,000.

    In a process that collects garbage as those of the web server do.
    """
    settle()
    progress = Progress("engine", len(SIZES))
    metrics, took = [], {}
    for size in SIZES:
        facts, entries = _parsed(size)
        whole = [_seconds(partial(regrade, facts, entries)) for _ in range(_ROUNDS)]
        took[size] = min(whole)
        metrics += [_from_scratch(size, whole), _resumed(size, facts, entries)]
        progress.step()
    growth = took[100_000] / took[10_000]
    return [*metrics, Metric("engine, 100,000 to 10,000", growth, "x", target=11)]


def _from_scratch(size: int, whole: Sequence[float]) -> Metric:
    rates = [size / seconds for seconds in whole]
    name = f"engine from scratch, {size:,}"
    return Metric(name, median(rates), "entries/s", spread(rates), target=100_000, at_least=True)


def _resumed(size: int, facts: CourseFacts, entries: Sequence[Entry]) -> Metric:
    """One more entry, with those between it and the last checkpoint."""
    checkpoint = regrade(facts, entries).checkpoints[-1].kept()
    rest = [entry for entry in entries if entry.at > checkpoint.at]
    now = entries[-1].at + timedelta(minutes=1)
    resumed = partial(regrade, facts, rest, resume=checkpoint, now=now)
    one = [_seconds(resumed) * 1000 for _ in range(_ROUNDS)]
    note = f"{len(rest)} entries after the checkpoint"
    return Metric(f"engine resumed, {size:,}", median(one), "ms", spread(one), note=note)


def _seconds(work: Callable[[], object]) -> float:
    """The processor's time for one run of ``work``, repeated until it can be told."""
    runs, begun = 0, time.process_time()
    while (passed := time.process_time() - begun) < _LONG_ENOUGH_S or not runs:
        work()
        runs += 1
    return passed / runs


def _parsed(size: int) -> tuple[CourseFacts, list[Entry]]:
    """A course's facts and its entries as grading reads them."""
    infused_at = datetime(2026, 1, 1, tzinfo=UTC)
    entries = []
    for place, said in enumerate(charted(size)):
        at = (infused_at + said.after).isoformat()
        words = {**said.body, "id": str(place), "kind": said.kind, "at": at, "recorded_at": at}
        entries.append(read_entry(words))
    return CourseFacts(infused_at=infused_at, birth_date=date(1970, 3, 1)), entries

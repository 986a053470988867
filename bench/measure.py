"""Repeated measurement: blocks of requests in turn, medians of their ratios, and the spread."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

_QUARTILES: Final = (0.25, 0.75)
_ROUNDS_AT_LEAST: Final = 4

Blocks = list[list[float]]


@dataclass(frozen=True, slots=True)
class Metric:
    """One number of the report.

    ``spread`` is the distance between the quartiles of its blocks. ``target`` is what the number
    should not exceed (``at_least``: not fall below); None for one without a target. ``plain`` is
    the same number of a server with CRS_PLAIN_DJANGO=1; None where that is not measured.
    """

    name: str
    value: float
    unit: str = "x"
    spread: float = 0.0
    target: float | None = None
    at_least: bool = False
    note: str = ""
    plain: float | None = None

    @property
    def is_met(self) -> bool | None:
        if self.target is None:
            return None
        return self.value >= self.target if self.at_least else self.value <= self.target


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which ``share`` of ``values`` lie, interpolated."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def pooled(blocks: Blocks) -> list[float]:
    """Return the values of all blocks."""
    return [value for block in blocks for value in block]


def ratios(blocks: Blocks, floor: Blocks) -> list[float]:
    """Return each block's median, divided by that of the floor's block in the same round."""
    return [median(mine) / median(least) for mine, least in zip(blocks, floor, strict=True)]


def spread(values: Sequence[float]) -> float:
    """Return the distance between the quartiles."""
    low, high = (percentile(values, share) for share in _QUARTILES)
    return high - low


def ratio_metric(
    name: str,
    blocks: Blocks,
    floor: Blocks,
    *,
    target: float | None = None,
    plain: Blocks | None = None,
) -> Metric:
    """Return the median of the blocks' ratios; of ``plain`` too, where there are such blocks."""
    found = ratios(blocks, floor)
    beyond = median(ratios(plain, floor)) if plain else None
    return Metric(name, median(found), "x", spread(found), target, plain=beyond)


def tail_metric(
    name: str,
    blocks: Blocks,
    floor: Blocks,
    share: float,
    *,
    target: float | None = None,
    plain: Blocks | None = None,
) -> Metric:
    """Return a percentile of all values, divided by the floor's median of all."""
    least_of_all = median(pooled(floor))
    whole = percentile(pooled(blocks), share) / least_of_all
    by_block = [
        percentile(mine, share) / median(least) for mine, least in zip(blocks, floor, strict=True)
    ]
    beyond = percentile(pooled(plain), share) / least_of_all if plain else None
    return Metric(name, whole, "x", spread(by_block), target, plain=beyond)


def in_turn(
    title: str,
    subjects: Mapping[str, Callable[[], float]],
    *,
    rounds: int,
    block: int | Mapping[str, int],
    warm_up: int = 10,
    budget_s: float,
) -> dict[str, Blocks]:
    """Measure all subjects in blocks, one after the other, ``rounds`` times.

    Fewer rounds on a busy or slow machine, to end within about ``budget_s`` seconds.
    """
    for subject in subjects.values():
        for _ in range(warm_up):
            subject()
    found: dict[str, Blocks] = {name: [] for name in subjects}
    progress = Progress(title, rounds)
    deadline = progress.begun + budget_s
    for done in range(rounds):
        if done >= _ROUNDS_AT_LEAST and time.monotonic() > deadline:
            progress.stop("the machine is slow or busy: fewer rounds")
            break
        for name, subject in subjects.items():
            times = block if isinstance(block, int) else block[name]
            found[name].append([subject() for _ in range(times)])
        progress.step()
    return found


class Progress:
    """A line on the terminal that shows how far a part is."""

    def __init__(self, title: str, steps: int) -> None:
        self.title, self.steps, self.done = title, steps, 0
        self.begun = time.monotonic()
        self._print()

    def step(self) -> None:
        self.done += 1
        self._print()

    def stop(self, why: str) -> None:
        print(f"  {self.title}: stopped at {self.done}/{self.steps}, {why}", file=sys.stderr)

    def _print(self) -> None:
        passed = time.monotonic() - self.begun
        line = f"  {self.title}: {self.done}/{self.steps}  {passed:.0f} s"
        if sys.stderr.isatty():
            end = "\n" if self.done == self.steps else ""
            print(f"\r{line}", end=end, file=sys.stderr, flush=True)
        elif self.done in (0, self.steps) or self.done == self.steps // 2:
            print(line, file=sys.stderr, flush=True)

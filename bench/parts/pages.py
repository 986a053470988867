"""One page of courses of every size: its ratio to the floor, and how it grows with the entries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from typing import Any

from bench.measure import Metric, in_turn, ratio_metric, ratios, spread
from bench.parts.statements import signed_in
from bench.site import Site

SIZES = (100, 1_000, 10_000, 100_000)
COURSES = {"100": [100] * 2, "1000": [1_000] * 2, "10000": [10_000], "100000": [100_000]}
STATEMENTS_AT_MOST = 8
_COUNTED_AT = 10_000
_ROUNDS = 12
_FEWEST_MS = 0.01

Address = Callable[[Any], str]
"""The path of a page of a course."""


def measure_page(
    site: Site, name: str, address: Address, *, sizes: Sequence[int] = SIZES, budget_s: float = 25
) -> list[Metric]:
    """Return the ratios of a page at each size, its growth, and its statements at 10,000."""
    subjects: dict[str, Callable[[], float]] = {"floor": site.floor_ms}
    for size in sizes:
        subjects[str(size)] = partial(site.page_ms, address(site.courses[str(size)][0]))
    block = {"floor": 6} | {str(size): 3 for size in sizes}
    found = in_turn(name, subjects, rounds=_ROUNDS, block=block, warm_up=2, budget_s=budget_s)
    floor = found["floor"]
    growth = [
        long / max(short, _FEWEST_MS)
        for long, short in zip(
            ratios(found[str(sizes[-1])], floor), ratios(found[str(sizes[0])], floor), strict=True
        )
    ]
    return [
        *(ratio_metric(f"{name} at {size:,}", found[str(size)], floor) for size in sizes),
        Metric(f"{name}, {sizes[-1]:,} to {sizes[0]:,}", median(growth), "x", spread(growth)),
        Metric(
            f"SQL statements, {name} at {_COUNTED_AT:,}",
            _statements_of(address(site.courses[str(_COUNTED_AT)][0])),
            "",
            target=STATEMENTS_AT_MOST,
        ),
    ]


def _statements_of(path: str) -> int:
    """Return how many statements a page sends, by a client that has opened it before."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    browser = signed_in()
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            answer = browser.get(path)
        if answer.status_code != 200:
            raise AssertionError(f"{path} was answered {answer.status_code}")
    return len(captured.captured_queries)

"""Grades and criteria over time as lanes have them: when each was met, when it could be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from grading.engine.sentences import short_name
from grading.engine.trace import Trace
from grading.systems import HEADLINE
from patients.display.next_change import HIGH_DOSE
from patients.queries.grades import GradePeriodRow

_HIGH_DOSE_GRADE: Final = HEADLINE.rules[HIGH_DOSE].grade
Span = tuple[datetime, datetime | None]
"""A half-open time; None is open."""


class Lane(NamedTuple):
    """When a criterion was met: half-open spans in order; an open one ends at None."""

    code: str
    name: str
    grade: int
    spans: Sequence[Span]


class CouldBe(NamedTuple):
    """A time in which something not known could make the grade ``reach``; ``end`` None is open."""

    start: datetime
    end: datetime | None
    reach: int


def periods_until(periods: Iterable[GradePeriodRow], until: datetime) -> Iterator[GradePeriodRow]:
    for period in periods:
        if period.start <= until:
            ends_later = period.end is None or period.end > until
            yield period._replace(end=None) if ends_later else period


def lanes_of(periods: Sequence[GradePeriodRow]) -> list[Lane]:
    """Return a lane for each criterion ever met, highest grade first, then in order of time.

    High dose always has one, so that a reader sees what the clock may bring.
    """
    spans: dict[str, list[Span]] = {HIGH_DOSE: []}
    grades: dict[str, int] = {HIGH_DOSE: _HIGH_DOSE_GRADE}
    for period in periods:
        for item in period.findings["criteria"]:
            code = item["code"]
            grades[code] = max(grades.get(code, 0), item["grade"])
            own = spans.setdefault(code, [])
            if own and own[-1][1] == period.start:
                own[-1] = (own[-1][0], period.end)
            else:
                own.append((period.start, period.end))
    lanes = [Lane(code, short_name(code), grades[code], own) for code, own in spans.items()]
    return sorted(lanes, key=lambda lane: (-lane.grade, [begins for begins, _ in lane.spans]))


def counting(trace: Trace, lane: Lane) -> list[Span]:
    """Return the times at a high dose, up to where its criterion is met."""
    found: list[Span] = []
    since: datetime | None = None
    for step in trace.equivalent:
        if since is None and step.is_high:
            since = step.at
        elif since is not None and not step.is_high:
            found.append((since, step.at))
            since = None
    if since is not None:
        found.append((since, None))
    return [span for high in found if (span := _before_met(high, lane)) is not None]


def _before_met(high: Span, lane: Lane) -> Span | None:
    begins, ends = high
    for start, end in lane.spans:
        if start <= begins and (end is None or begins < end):
            return None
        if begins < start and (ends is None or start < ends):
            return begins, start
    return high


def could_be(periods: Iterable[GradePeriodRow], prefix: str) -> list[CouldBe]:
    """Return the times in which an unknown whose code has this prefix could raise the grade."""
    found: list[CouldBe] = []
    for period in periods:
        reach = max(
            (
                item["could_reach"]
                for item in period.findings["unknown"]
                if item["code"].startswith(prefix)
            ),
            default=0,
        )
        if not reach:
            continue
        if found and (found[-1].end, found[-1].reach) == (period.start, reach):
            found[-1] = found[-1]._replace(end=period.end)
        else:
            found.append(CouldBe(period.start, period.end, reach))
    return found

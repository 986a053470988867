"""Spans of time: joined, cut to a window, added up exactly."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple, Protocol, TypeVar

from grading.engine.times import in_zone

_A_DAY = timedelta(days=1)


class Span(NamedTuple):
    """The time from ``start`` up to ``end``, which is no part of it."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return self.end - self.start


class Window(NamedTuple):
    """A span that is looked at; ``has_last``: its last instant is the last that is known of."""

    start: datetime
    end: datetime
    has_last: bool

    def has(self, at: datetime) -> bool:
        """Return whether an instant is looked at."""
        return self.start <= at < self.end or (self.has_last and at == self.end)


class _Step(Protocol):
    @property
    def at(self) -> datetime: ...


Step = TypeVar("Step", bound=_Step)


def parts_of(
    steps: Sequence[Step], holds: Callable[[Step], bool], window: Window
) -> list[tuple[Step, Span]]:
    """Return the steps of which ``holds`` is true, each with the part of its time in ``window``.

    A step holds up to the next one, the last up to the end of the window.
    """
    found = []
    for place, step in enumerate(steps):
        end = steps[place + 1].at if place + 1 < len(steps) else max(window.end, step.at)
        if step.at <= window.end and holds(step):
            part = within(Span(step.at, end), window)
            if part is not None:
                found.append((step, part))
    return found


def step_at(steps: Sequence[Step], at: datetime) -> Step | None:
    """Return the step that holds at an instant; None before the first."""
    place = bisect_right(steps, at, key=_time_of)
    return steps[place - 1] if place else None


def _time_of(step: _Step) -> datetime:
    return step.at


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return the time that any of ``spans`` covers, in order, without overlaps."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found


def within(span: Span, window: Window) -> Span | None:
    """Return the part of ``span`` in ``window``; None where it has none.

    What begins at the last known instant has no length yet, and is kept.
    """
    if span.start == window.end:
        return Span(span.start, span.start) if window.has_last else None
    start, end = max(span.start, window.start), min(span.end, window.end)
    return Span(start, end) if start < end else None


def touches(span: Span, spans: Sequence[Span]) -> bool:
    """Return whether ``span`` meets one of ``spans``, which are in order."""
    place = bisect_right(spans, span.end, key=_start_of)
    return place > 0 and spans[place - 1].end >= span.start


def _start_of(span: Span) -> datetime:
    return span.start


def total(spans: Iterable[Span]) -> timedelta:
    return sum((span.length for span in joined(spans)), timedelta(0))


def days_of(spans: Iterable[Span], zone: tzinfo) -> list[date]:
    """Return the calendar days of ``zone`` that ``spans`` touch, in order."""
    days: set[date] = set()
    for span in spans:
        last_instant = span.end - timedelta.resolution if span.end > span.start else span.end
        day, last = in_zone(span.start, zone).date(), in_zone(last_instant, zone).date()
        while day <= last:
            days.add(day)
            day += _A_DAY
    return sorted(days)

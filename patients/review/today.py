"""Where the plots of a course as it was known at an instant differ from those of today."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final, NamedTuple

from patients.review.changes import differences_between
from patients.review.page import runs_of
from patients.review.series import Device, Point, ReviewSeries, Series

GRADE: Final = "grade"
DEVICE: Final = "device"
_NONE: Final = "–"


class DifferentToday(NamedTuple):
    """A time in which today's value differs, with that value; a single reading has no length."""

    start: datetime
    end: datetime
    text: str


def differences_today(
    then: ReviewSeries, today: ReviewSeries, until: datetime
) -> dict[str, list[DifferentToday]]:
    """Return by the key of a lane where ``today`` differs from ``then``, up to ``until``."""
    found = {
        GRADE: [
            DifferentToday(one.start, one.end, str(one.after) if one.after else _NONE)
            for one in differences_between(runs_of(then.periods), runs_of(today.periods), until)
        ],
        DEVICE: list(_of_steps(_devices(then.devices), _devices(today.devices), until)),
    }
    now = {one.key: one for one in today.series}
    for one in then.series:
        points = now[one.key].points if one.key in now else ()
        found[one.key] = list(_of_series(one, points, until))
    return {key: parts for key, parts in found.items() if parts}


def _devices(devices: Sequence[Device]) -> list[tuple[datetime, str]]:
    return [(one.at, one.label) for one in devices]


def _of_series(then: Series, today: Sequence[Point], until: datetime) -> Iterator[DifferentToday]:
    before = [(point.at, point.text) for point in then.points]
    after = [(point.at, point.text) for point in today]
    if then.step:
        yield from _of_steps(before, after, until)
        return
    was, now = dict(before), dict(after)
    for at in sorted(was.keys() | now.keys()):
        if at <= until and was.get(at) != now.get(at):
            yield DifferentToday(at, at, now.get(at, _NONE))


def _of_steps(
    then: Sequence[tuple[datetime, str]], today: Sequence[tuple[datetime, str]], until: datetime
) -> Iterator[DifferentToday]:
    """Yield the times in which another value holds; each holds until the next one."""
    cuts = sorted({at for at, _ in (*then, *today) if at < until} | {until})
    last: DifferentToday | None = None
    for start, end in pairwise(cuts):
        was, now = _held(then, start), _held(today, start)
        if was == now:
            continue
        if last is not None and (last.end, last.text) == (start, now):
            last = last._replace(end=end)
            continue
        if last is not None:
            yield last
        last = DifferentToday(start, end, now)
    if last is not None:
        yield last


def _held(steps: Sequence[tuple[datetime, str]], at: datetime) -> str:
    place = bisect_right(steps, at, key=lambda step: step[0]) - 1
    return _NONE if place < 0 else steps[place][1]

"""Where the line of a plot is broken: a value was skipped, is late, or was measured otherwise."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from grading.engine.policy import Policy
from patients.queries.policies import PolicyPeriod

Expected = Callable[[datetime], timedelta]
"""The time after which a value charted at an instant is old."""


def expected_of(periods: Sequence[PolicyPeriod], minutes: Callable[[Policy], int]) -> Expected:
    """Return the interval of charting that the policy in force at an instant expects."""
    begins = [period.valid_from for period in periods]

    def expected(at: datetime) -> timedelta:
        place = max(bisect_right(begins, at) - 1, 0)
        return timedelta(minutes=minutes(periods[place].policy))

    return expected


def begins_of(
    at: Sequence[datetime],
    expected: Expected,
    skipped: Sequence[datetime] = (),
    measured: Sequence[object] = (),
) -> list[bool]:
    """Return for each of the instants ``at``, in order, whether a line begins there again.

    It does where the value before is older than ``expected``, where one of the instants ``skipped``
    lies between, and where ``measured``, the unit or device of each value, differs from before.
    """
    found = [False] * min(len(at), 1)
    for place, (before, after) in enumerate(pairwise(at)):
        passed_over = bisect_right(skipped, before) != bisect_right(skipped, after)
        differs = bool(measured) and measured[place] != measured[place + 1]
        found.append(passed_over or differs or after - before > expected(before))
    return found


def changes_of(measured: Sequence[object]) -> list[bool]:
    """Return for each step whether it is measured otherwise than the one before."""
    return [place > 0 and measured[place] != measured[place - 1] for place in range(len(measured))]

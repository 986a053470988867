"""The grade of a course at an instant, as it was known at another, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from grading.engine.times import can_be_charted, in_zone
from grading.engine.vocabulary import EARLIEST, LATEST
from grading.systems import HEADLINE
from patients.models import Course
from patients.queries.grades import GradePeriodRow, read_period_at

_WANTED: Final = "expected a date and time with its offset, like 2014-01-06T12:00:00+00:00"


class BadInstantError(ValueError):
    """A time of the address is no instant that can be looked at; ``field`` names it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Instants:
    """The instant looked at, and the time up to which recorded facts are known."""

    at: datetime
    known_at: datetime


def parse_instants(query: Mapping[str, str], now: datetime) -> Instants:
    """Return the times ``at`` and ``known_at`` of an address; each defaults to ``now``.

    Both are ISO 8601 with offset. Raises BadInstantError for another form, a time outside the
    calendar of charts, and a time later than ``now``.
    """
    return Instants(_parse("at", query, now), _parse("known_at", query, now))


def _parse(field: str, query: Mapping[str, str], now: datetime) -> datetime:
    typed = query.get(field)
    if typed is None:
        return now
    try:
        instant = datetime.fromisoformat(typed)
        has_offset = instant.utcoffset() is not None
    except ValueError:
        has_offset = False
    if not has_offset:
        hint = " (in an address, + is written %2B)" if " " in typed.strip() else ""
        raise BadInstantError(field, _WANTED + hint)
    if not can_be_charted(instant):
        raise BadInstantError(field, f"expected a time from {EARLIEST.year} to {LATEST.year}")
    if instant > now:
        raise BadInstantError(field, "lies in the future")
    return in_zone(instant, UTC)


def state_json(course: Course, instants: Instants) -> dict[str, Any]:
    """Return grade, bound and codes at ``instants.at`` as known at ``instants.known_at``.

    They are those of ``python -m grading --now at --known-at known_at``: 0 after the infusion with
    nothing charted; None before it, and after a death of another cause. ``scales`` has one item for
    each further grading system; there is none.
    """
    found = read_period_at(course.pk, HEADLINE, at=instants.at, known_at=instants.known_at)
    period = found.period
    # Before the first act of the course no period was known: nothing is charted.
    is_ungraded = period is None and (found.is_graded or instants.at < course.infused_at)
    grade = None if is_ungraded else 0
    return {
        "at": instants.at.isoformat(),
        "known_at": instants.known_at.isoformat(),
        "grade": grade if period is None else period.grade,
        "at_most": grade if period is None else period.at_most,
        "criteria": _items(period, "criteria", ("code", "grade")),
        "unknown": _items(period, "unknown", ("code", "could_reach")),
        "scales": {},
    }


def _items(period: GradePeriodRow | None, part: str, keys: tuple[str, ...]) -> list[dict[str, Any]]:
    findings = () if period is None else period.findings[part]
    return [{key: item[key] for key in keys} for item in findings]

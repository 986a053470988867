"""The result of grading a course file: periods, current status, guidance, and the rules used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from grading.course_file import CourseDocument, read_course
from grading.course_warnings import CourseWarning, warnings_of
from grading.engine.entries import BaselineFacts, Entry, in_force
from grading.engine.grading_system import GradingSystem
from grading.engine.periods import Period
from grading.guidance import Item, advise
from grading.scales import CourseScales, Scale, grade_scales, scales_named
from grading.service import CurrentStatus, status_at
from grading.systems import HEADLINE

PEAK_WINDOW: Final = timedelta(hours=24)
"""The window of the 24-h peak."""


@dataclass(frozen=True, slots=True)
class CourseResult:
    """A course graded up to ``now``; ``periods`` tile the time from infusion, ``projected`` follow.

    Grade, bound, peak and maximum are None where nothing is graded.
    """

    document: CourseDocument
    system: GradingSystem
    now: datetime
    status: CurrentStatus
    periods: tuple[Period, ...]
    projected: tuple[Period, ...]
    guidance: tuple[Item, ...]
    warnings: tuple[CourseWarning, ...] = ()
    scales: CourseScales | None = None

    @property
    def maximum(self) -> int | None:
        return max((period.grade for period in self.periods), default=None)

    @property
    def maximum_at(self) -> datetime | None:
        return next((p.start for p in self.periods if p.grade == self.maximum), None)

    @property
    def peak_24h(self) -> int | None:
        """The highest grade in the 24 h up to ``now``."""
        since = self.now - PEAK_WINDOW
        return max(
            (
                p.grade
                for p in self.periods
                if p.end is None or p.end > since or (p.start == p.end == self.now)
            ),
            default=None,
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "ruleset": self.system.key,
            "ruleset_version": self.system.version,
            "policy": self.document.facts.policy.values(),
            "now": _utc(self.now),
            "current": {
                "grade": self.status.grade,
                "at_most": self.status.at_most,
                "peak_24h": self.peak_24h,
            },
            "maximum": self.maximum,
            "maximum_at": None if self.maximum_at is None else _utc(self.maximum_at),
            "periods": [
                *(_period_json(period, projected=False) for period in self.periods),
                *(_period_json(period, projected=True) for period in self.projected),
            ],
            "guidance": [item.as_json() for item in self.guidance],
            "warnings": [{"place": one.place, "text": one.text} for one in self.warnings],
            **({} if self.scales is None else self.scales.as_json()),
        }


def result_json(
    document: str | bytes | Mapping[str, Any],
    now: datetime | None = None,
    known_at: datetime | None = None,
    scales: str | Iterable[str] = (),
) -> dict[str, Any]:
    """Grade a course file and return the result as JSON; raises CourseFileError.

    ``scales`` are the keys of other scales to grade by as well, or ``all``; raises ValueError for a
    scale that there is not.
    """
    named = scales_named(scales) if scales else ()
    return grade_course(read_course(document), now, known_at, scales=named).as_json()


def grade_course(
    document: CourseDocument,
    now: datetime | None = None,
    known_at: datetime | None = None,
    system: GradingSystem = HEADLINE,
    scales: Sequence[Scale] = (),
) -> CourseResult:
    """Grade ``document`` by ``system`` up to ``now``, using what was recorded by ``known_at``.

    ``scales`` are those to grade by as well.
    """
    known = [e for e in document.entries if known_at is None or e.recorded_at <= known_at]
    shown_at = now if now is not None else _latest_time(document, known)
    entries = [e for e in in_force(known) if e.at <= shown_at or isinstance(e, BaselineFacts)]
    history, status = status_at(document.facts, entries, shown_at, system=system)
    begun = shown_at >= document.facts.infused_at
    past = [period for period in history.periods if begun and period.start <= shown_at]
    projected = [period for period in history.periods if begun and period.start > shown_at]
    end = min(shown_at, history.ended_at) if history.ended_at is not None else shown_at
    if past:
        past[-1] = past[-1]._replace(end=end)
    guidance = advise(document.facts, status, entries, history.periods, risk=document.risk)
    warnings = tuple(warnings_of(document, known))
    return CourseResult(
        document,
        system,
        shown_at,
        status,
        tuple(past),
        tuple(projected),
        guidance,
        warnings,
        grade_scales(document.facts, entries, shown_at, scales) if scales else None,
    )


def _latest_time(document: CourseDocument, known: list[Entry]) -> datetime:
    """Return the latest clinical or charting time of all entries, retracted ones included."""
    times = [time for entry in known for time in (entry.at, entry.recorded_at)]
    return max(times, default=document.facts.infused_at)


def _period_json(period: Period, *, projected: bool) -> dict[str, Any]:
    return {
        "from": _utc(period.start),
        "to": None if period.end is None else _utc(period.end),
        "grade": period.grade,
        "at_most": period.at_most,
        "projected": projected,
        **period.findings_json(),
    }


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()

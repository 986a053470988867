"""A course result as a page of text that a clinician can read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo

from grading.course_result import CourseResult
from grading.engine.periods import Period
from grading.engine.sentences import duration_text
from grading.engine.times import in_zone
from grading.engine.vocabulary import VITAL_SIGNS, term_label
from grading.scale_report import scale_lines
from grading.service import CurrentStatus

_NEVER_CHARTED_ASKED = (*(sign.key for sign in VITAL_SIGNS), "oxygen")


def text_report(result: CourseResult) -> str:
    """Grade, why, since when, what is not known, what comes next, other scales, the history."""
    zone = result.document.facts.infused_at.tzinfo
    return "\n".join(_lines(result, zone)) + "\n"


def _lines(result: CourseResult, zone: tzinfo | None) -> Iterator[str]:
    patient, status = result.document.patient, result.status
    who = " ".join(
        part for part in (patient.name, f"(MRN {patient.mrn})" if patient.mrn else "") if part
    )
    yield f"{who or 'Patient'}: {result.document.product or 'course'}"
    system = result.system
    yield f"At {_time(result.now, zone)}, {system.name}, ruleset version {system.version}"
    yield ""
    yield from _grade(result, status, zone)
    if status.grade is not None:
        yield from _why(status)
        yield from _not_known(status)
        yield from _next(status, result.now, zone)
    if result.scales is not None:
        yield from scale_lines(result.scales, result.document.facts.infused_at)
    yield from _guidance(result)
    yield from _warnings(result)
    yield from _history(result, zone)


def _grade(result: CourseResult, status: CurrentStatus, zone: tzinfo | None) -> Iterator[str]:
    if status.grade is None:
        ended = "Grading ended with a death not due to CRS." if status.ended else ""
        yield f"CRS GRADE  none: {ended or 'before the infusion nothing is graded.'}"
    else:
        bound = ""
        if status.at_most is not None and status.at_most > status.grade:
            bound = f", could be {status.at_most}"
        yield f"CRS GRADE  {status.grade}{bound}   since {_time(_since(result), zone)}"
    if result.maximum is not None and result.maximum_at is not None:
        peak = "none" if result.peak_24h is None else result.peak_24h
        first = _time(result.maximum_at, zone)
        yield f"Peak of the last 24 h: {peak}; maximum {result.maximum}, first at {first}"


def _since(result: CourseResult) -> datetime:
    """When the present grade began."""
    since = result.now
    for period in reversed(result.periods):
        if period.grade != result.status.grade:
            break
        since = period.start
    return since


def _why(status: CurrentStatus) -> Iterator[str]:
    yield ""
    yield "Why"
    for criterion in status.criteria:
        mark = " (attribution uncertain)" if criterion.uncertain else ""
        yield f"  * grade {criterion.grade}: {criterion.explanation}{mark}  [{criterion.citation}]"
    if not status.criteria:
        yield "  no CRS criterion met in the values charted"
    for excluded in status.excluded:
        yield f"  - not counted, attributed to another cause: {_thing(excluded.what)}"


def _not_known(status: CurrentStatus) -> Iterator[str]:
    never = [_thing(key) for key in _NEVER_CHARTED_ASKED if key not in status.latest]
    if status.unknown or status.stale or never:
        yield ""
        yield "Not known"
    for unknown in status.unknown:
        yield f"  ? could reach {unknown.could_reach}: {unknown.why}"
    for key in sorted(status.stale):
        age = duration_text(status.at - status.latest[key].at)
        yield f"  ! {_thing(key)} last charted {age} ago"
    if never:
        yield f"  never charted: {', '.join(never)}"


def _next(status: CurrentStatus, now: datetime, zone: tzinfo | None) -> Iterator[str]:
    yield ""
    yield "Next change by the clock, if nothing more is charted"
    for period in status.upcoming:
        codes = ", ".join(criterion.code for criterion in period.criteria) or "no criterion"
        bound = f", could be {period.at_most}" if period.at_most > period.grade else ""
        wait = duration_text(period.start - now)
        yield f"  {_time(period.start, zone)} (in {wait}): grade {period.grade}{bound} ({codes})"
    if not status.upcoming:
        yield "  none"


def _guidance(result: CourseResult) -> Iterator[str]:
    """What the algorithm advises: text with its basis, never an order."""
    if not result.guidance:
        return
    yield ""
    yield "What the algorithm of 2014 advises (the clinician decides)"
    for item in result.guidance:
        words = item.as_json()
        yield f"  {words['indicator']}: {words['summary']}  [{words['citation']}]"


def _warnings(result: CourseResult) -> Iterator[str]:
    """What a form would ask about; the grade counts it as it is charted."""
    if not result.warnings:
        return
    yield ""
    yield "Warnings: please check"
    for warning in result.warnings:
        yield f"  ! {warning}"


def _history(result: CourseResult, zone: tzinfo | None) -> Iterator[str]:
    if not result.periods:
        return
    yield ""
    yield "History"
    for period in result.periods:
        start, what = _time(period.start, zone), f"grade {period.grade}{_bound(period)}"
        yield f"  {start}  {_span(period):>11}  {what}"


def _span(period: Period) -> str:
    return duration_text((period.end or period.start) - period.start or timedelta(0))


def _bound(period: Period) -> str:
    codes = [criterion.code for criterion in period.criteria]
    codes += [f"?{unknown.code}" for unknown in period.unknown]
    bound = f" (could be {period.at_most})" if period.at_most > period.grade else ""
    return f"{bound}  {' '.join(codes)}".rstrip()


def _thing(key: str) -> str:
    """What a key of ``CurrentStatus.latest`` is about, in words."""
    named = {sign.key: sign.label for sign in VITAL_SIGNS}
    kind, _, what = key.partition(".")
    if key in named:
        return named[key]
    return term_label(what) if what else term_label(kind)


def _time(instant: datetime, zone: tzinfo | None) -> str:
    return in_zone(instant, zone).strftime("%Y-%m-%d %H:%M %z")

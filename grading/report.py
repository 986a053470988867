"""An answer as a page of text that a clinician can read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo

from grading.answer import Answer
from grading.engine.periods import Period
from grading.engine.sentences import duration_text
from grading.engine.vocabulary import VITAL_SIGNS, term_label
from grading.service import Standing

_NEVER_CHARTED_ASKED = (*(sign.key for sign in VITAL_SIGNS), "oxygen")


def text_report(answer: Answer) -> str:
    """Grade, why, since when, what is not known, what comes next, and the history."""
    zone = answer.document.facts.infused_at.tzinfo
    return "\n".join(_lines(answer, zone)) + "\n"


def _lines(answer: Answer, zone: tzinfo | None) -> Iterator[str]:
    patient, standing = answer.document.patient, answer.standing
    who = " ".join(
        part for part in (patient.name, f"(MRN {patient.mrn})" if patient.mrn else "") if part
    )
    yield f"{who or 'Patient'}: {answer.document.product or 'course'}"
    system = answer.system
    yield f"At {_time(answer.now, zone)}, {system.name}, ruleset version {system.version}"
    yield ""
    yield from _grade(answer, standing, zone)
    if standing.grade is not None:
        yield from _why(standing)
        yield from _not_known(standing)
        yield from _next(standing, answer.now, zone)
    yield from _guidance(answer)
    yield from _history(answer, zone)


def _grade(answer: Answer, standing: Standing, zone: tzinfo | None) -> Iterator[str]:
    if standing.grade is None:
        ended = "Grading ended with a death not due to CRS." if standing.ended else ""
        yield f"CRS GRADE  none: {ended or 'before the infusion nothing is graded.'}"
    else:
        bound = ""
        if standing.at_most is not None and standing.at_most > standing.grade:
            bound = f", could be {standing.at_most}"
        yield f"CRS GRADE  {standing.grade}{bound}   since {_time(_since(answer), zone)}"
    if answer.maximum is not None and answer.maximum_at is not None:
        peak = "none" if answer.peak_24h is None else answer.peak_24h
        first = _time(answer.maximum_at, zone)
        yield f"Peak of the last 24 h: {peak}; maximum {answer.maximum}, first at {first}"


def _since(answer: Answer) -> datetime:
    """When the grade that holds now began."""
    since = answer.now
    for period in reversed(answer.periods):
        if period.grade != answer.standing.grade:
            break
        since = period.start
    return since


def _why(standing: Standing) -> Iterator[str]:
    yield ""
    yield "Why"
    for criterion in standing.criteria:
        mark = " (attribution uncertain)" if criterion.uncertain else ""
        yield f"  * grade {criterion.grade}: {criterion.explanation}{mark}  [{criterion.citation}]"
    if not standing.criteria:
        yield "  no criterion of CRS is met"
    for excluded in standing.excluded:
        yield f"  - not counted, attributed to another cause: {_thing(excluded.what)}"


def _not_known(standing: Standing) -> Iterator[str]:
    never = [_thing(key) for key in _NEVER_CHARTED_ASKED if key not in standing.latest]
    if standing.unknown or standing.stale or never:
        yield ""
        yield "Not known"
    for unknown in standing.unknown:
        yield f"  ? could reach {unknown.could_reach}: {unknown.why}"
    for key in sorted(standing.stale):
        age = duration_text(standing.at - standing.latest[key].at)
        yield f"  ! {_thing(key)} last charted {age} ago"
    if never:
        yield f"  never charted: {', '.join(never)}"


def _next(standing: Standing, now: datetime, zone: tzinfo | None) -> Iterator[str]:
    yield ""
    yield "Next change by the clock, if nothing more is charted"
    for period in standing.upcoming:
        codes = ", ".join(criterion.code for criterion in period.criteria) or "no criterion"
        bound = f", could be {period.at_most}" if period.at_most > period.grade else ""
        wait = duration_text(period.start - now)
        yield f"  {_time(period.start, zone)} (in {wait}): grade {period.grade}{bound} ({codes})"
    if not standing.upcoming:
        yield "  none"


def _guidance(answer: Answer) -> Iterator[str]:
    """What the algorithm advises: text with its basis, never an order."""
    if not answer.guidance:
        return
    yield ""
    yield "What the algorithm of 2014 advises (the clinician decides)"
    for item in answer.guidance:
        words = item.as_json()
        yield f"  {words['indicator']}: {words['summary']}  [{words['citation']}]"


def _history(answer: Answer, zone: tzinfo | None) -> Iterator[str]:
    if not answer.periods:
        return
    yield ""
    yield "History"
    for period in answer.periods:
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
    """What a key of ``Standing.latest`` is about, in words."""
    named = {sign.key: sign.label for sign in VITAL_SIGNS}
    kind, _, what = key.partition(".")
    if key in named:
        return named[key]
    return term_label(what) if what else term_label(kind)


def _time(instant: datetime, zone: tzinfo | None) -> str:
    return instant.astimezone(zone).strftime("%Y-%m-%d %H:%M %z")

"""What other scales answer, as lines of the report of one course."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo

from grading.engine.periods import Explained
from grading.engine.sentences import duration_text, inside_a_sentence
from grading.engine.times import in_zone
from grading.engine.vocabulary import TreatmentAgent
from grading.scales import CourseScales, ScaleAnswer, ScalePeriod


def scale_lines(scales: CourseScales, infused_at: datetime) -> Iterator[str]:
    """Yield grade, why, what is unknown and what comes next by scale, and why scales differ."""
    zone = infused_at.tzinfo
    yield ""
    yield "Other scales, from the same entries"
    for answer in scales.answers:
        yield from _scale(answer, scales.now, infused_at)
    if scales.differ:
        yield ""
        yield "Why they differ from Lee 2014"
    for difference in scales.differ:
        yield f"  {difference.text}"
    if any(answer.projected for answer in scales.answers):
        yield ""
        yield "Next change of other scales by the clock, if nothing more is charted"
    for answer in scales.answers:
        yield from _next(answer, scales.now, zone)


def _scale(answer: ScaleAnswer, now: datetime, infused_at: datetime) -> Iterator[str]:
    title = answer.scale.title
    current = answer.current
    if current is None:
        why = "ended with a death of another cause" if now >= infused_at else "before the infusion"
        yield f"  {title}  none: {why}"
        return
    yield f"  {title}  {_grade(current)}"
    for criterion in current.criteria:
        mark = " (attribution uncertain)" if criterion.uncertain else ""
        why = f"{criterion.explanation}{mark}  [{criterion.citation}]"
        yield f"    * grade {criterion.grade}: {why}"
    for withheld in current.withheld:
        yield f"    - withheld, would be grade {withheld.grade}: {withheld.explanation}"
    for unknown in current.unknown:
        yield f"    ? could reach {unknown.could_reach}: {unknown.why}"
    if answer.waived_by is not None:
        yield f"    fever waived: {_waived(answer.waived_by, now)}"
    if answer.scale.unverified:
        yield f"    not verified: {', '.join(answer.scale.unverified)}"


def _grade(period: ScalePeriod) -> str:
    bound = f", could be {period.at_most}" if period.at_most > period.grade else ""
    return f"{period.grade}{bound}"


def _waived(waived_by: Explained, now: datetime) -> str:
    """Return the treatment after which no fever is asked for, and its age."""
    agent = inside_a_sentence(TreatmentAgent(waived_by.params["agent"]).label)
    given_at = datetime.fromisoformat(waived_by.params["at"])
    return f"{agent} {duration_text(now - given_at)} ago"


def _next(answer: ScaleAnswer, now: datetime, zone: tzinfo | None) -> Iterator[str]:
    for period in answer.projected:
        codes = ", ".join([criterion.code for criterion in period.criteria]) or "no criterion"
        at = in_zone(period.start, zone).strftime("%Y-%m-%d %H:%M %z")
        wait = duration_text(period.start - now)
        yield f"  {at} (in {wait}): {answer.scale.title}  {_grade(period)} ({codes})"

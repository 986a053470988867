"""Read the summary of a course as it is known now, or was known at an earlier time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from functools import partial
from typing import NamedTuple

from django.utils import timezone

from grading.engine.entries import Entry
from grading.systems import HEADLINE
from patients.display.assessment import first_assessed_at
from patients.display.scale_levels import assessments_of
from patients.models import Course
from patients.queries.entries import EntryRow
from patients.queries.known_at import CourseKnownAt, read_known_at
from patients.queries.reviews import read_course_reviews
from patients.queries.scales import scales_over
from patients.queries.series import values_of
from patients.queries.summary import Statement, read_statements
from patients.review.sign_off import ReviewPeriod, State, graded_until, period_at, review_periods
from patients.summary.facts import SummaryChart
from patients.summary.scale_facts import courses_of
from patients.summary.summary import Part, Summary, build_summary


class ReadSummary(NamedTuple):
    """A summary with what a page needs besides: the chart, its rows, what was stated and signed."""

    summary: Summary
    known: CourseKnownAt
    chart: SummaryChart
    statements: list[Statement]
    rows: dict[str, EntryRow]
    reviewed: Sequence[ReviewPeriod]


def read_summary(
    course: Course, part: Part, known_at: datetime, *, is_now: bool = True
) -> ReadSummary:
    """Read one reporting period of ``course``, in three statements.

    ``is_now``: ``known_at`` is the present, and identity and place are the present ones.
    """
    known = read_known_at(course, HEADLINE, known_at, is_now=is_now)
    then = None if is_now else known_at
    chart = summary_chart(known)
    statements = read_statements(course.pk, then)
    reviews = read_course_reviews(course.pk, HEADLINE, known_at, known_at=then)
    periods = review_periods(
        reviews.runs, reviews.sign_offs, chart.until, goes_on=known.closing is None
    )
    summary = build_summary(
        chart, part, statements, known_at=known_at, signed_of=partial(_signed_at, periods)
    )
    rows = {str(row.pk): row for row in known.rows}
    return ReadSummary(summary, known, chart, statements, rows, periods)


def read_summaries(
    course: Course, known_at: datetime, until: datetime, zone: tzinfo
) -> list[Summary]:
    """Read every reporting period of ``course`` that has begun by ``until``, in three statements.

    Facts are counted up to ``until``; calendar days are those of ``zone``.
    """
    known = read_known_at(course, HEADLINE, known_at)
    chart = summary_chart(known)
    statements = read_statements(course.pk, known_at)
    reviews = read_course_reviews(course.pk, HEADLINE, known_at, known_at=known_at)
    periods = review_periods(
        reviews.runs, reviews.sign_offs, chart.until, goes_on=known.closing is None
    )
    signed_of = partial(_signed_at, periods)
    counted = replace(chart, until=max(until, known.course.infused_at), zone=zone)
    summaries = (
        build_summary(counted, part, statements, known_at=known_at, signed_of=signed_of)
        for part in Part
    )
    return [one for one in summaries if one.has_begun]


def summary_chart(known: CourseKnownAt) -> SummaryChart:
    """Return what the summary reads of a course that was read already."""
    entries: list[Entry] = known.entries
    closing = known.closing
    latest = max((one.at for one in entries if one.at <= known.known_at), default=None)
    until = graded_until(known.known_at, None if closing is None else closing.at, latest)
    scales = scales_over(known, until)
    return SummaryChart(
        infused_at=known.course.infused_at,
        entries=entries,
        periods=known.periods,
        trace=values_of(known, until).trace,
        until=until,
        assessed_since=first_assessed_at(entries, known.course.infused_at),
        zone=timezone.get_default_timezone(),
        is_closed=closing is not None,
        scales=courses_of(scales, assessments_of(entries, known.facts, scales.policy, until)),
        scales_at_end=scales,
    )


def _signed_at(periods: Sequence[ReviewPeriod], at: datetime) -> str:
    """Return how the grade of an instant is signed, in words."""
    period = period_at(periods, at)
    if period is None:
        return "sign-off: not signed"
    if period.sign_off is None or period.state in (State.NEW_LOOK, State.FELL):
        return f"sign-off: {period.state.words}"
    return f"sign-off: {period.state.words} by {period.sign_off.author_name}"

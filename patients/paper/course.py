"""A printed course: grades with why and sign-off, what was given, answers, and every entry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from crs_app.accounts.models import User
from grading.engine.sentences import short_name
from grading.systems import HEADLINE
from patients.display.assessment import was_assessed
from patients.display.banner import banner_of
from patients.display.closed import closed_notice
from patients.display.scale_levels import assessments_of, shown_levels
from patients.display.text import duration_text
from patients.display.timeline import TimelineRow, answer_text, build_rows
from patients.models import Course
from patients.paper.drawing import draw
from patients.queries.flowsheet import FlowsheetData, read_flowsheet
from patients.queries.grades import GradePeriodRow
from patients.queries.known_at import CourseKnownAt, read_known_at
from patients.queries.scales import CourseScales, scales_over
from patients.queries.series import values_of
from patients.queries.status import status_known_at
from patients.review.address import Instants, ReviewAddress
from patients.review.page import at_cursor, window_of
from patients.review.panel import PanelView, PeriodLine, build_panel, read_panel_data
from patients.review.scales_at import scales_at_instant
from patients.review.series import ReviewSeries, review_series

ENTRIES_AT_MOST: Final = 5_000
"""About how many entries are printed, the latest: some hundred pages. An export has all."""


@dataclass(frozen=True, slots=True)
class GradeLine:
    """A time with one grade, one bound and the same criteria; ``end`` None is open.

    ``is_assessed`` tells a grade 0 that is known. ``sign_off`` is its state in words.
    """

    start: datetime
    end: datetime | None
    length: str
    grade: int
    at_most: int
    criteria: str
    sign_off: str
    is_assessed: bool


@dataclass(frozen=True, slots=True)
class ScaleLine:
    """A time in which ASTCT or ICANS shows the same; ``text`` has grade and bound."""

    name: str
    start: datetime
    end: datetime | None
    length: str
    text: str


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """An answer to treatment advice."""

    at: datetime
    advice: str
    text: str
    author: str


def printed_course(
    course: Course, reader: User, now: datetime, known_at: datetime, *, is_now: bool
) -> dict[str, Any]:
    """Read what is printed of ``course`` as known at ``known_at``, in four statements.

    It has the same values as the review page and the flowsheet, for it reads them the same way.
    """
    then = None if is_now else known_at
    known = read_known_at(course, HEADLINE, known_at, is_now=is_now)
    reviews = read_panel_data(course, reader, known_at, known_at=then)
    review = review_series(values_of(known, known_at))
    first = min((row.at for row in known.rows), default=known.course.infused_at)
    window = window_of("all", known.course.infused_at, first, _end_of(known, known_at))
    since = _printed_since(known)
    data = read_flowsheet(
        course, HEADLINE, since or window[0], known_at + timedelta(hours=1), now=now, known_at=then
    )
    graded_until = known_at if known.closing is None else min(known_at, known.closing.at)
    status = status_known_at(known, graded_until)
    scales = scales_over(known, graded_until)
    panel = build_panel(known.course, reader, reviews, known_at, PanelView(is_then=not is_now))
    return {
        "course_id": course.pk,
        "address": ReviewAddress(Instants(known_at, known_at), is_now=is_now),
        "latest": now,
        "now": known_at,
        "banner": banner_of(status),
        "cursor": at_cursor(known, status),
        "closed": closed_notice(known.closing, None, known_at),
        "panel": panel,
        "infused_at": known.course.infused_at,
        "drawing": draw(review, *window, known.course.infused_at),
        "grades": list(_grade_lines(review, panel.lines, graded_until)),
        "scales": scales_at_instant(scales, status).lines,
        "scale_grades": list(_scale_lines(scales, known, graded_until)),
        "last_moment": _last_moment(known, is_now=is_now),
        "given": review.treatments,
        "answers": [
            AnswerLine(one.recorded_at, one.summary, answer_text(one), one.author)
            for one in reversed(known.answers)
        ],
        "entries": _rows(data),
        "entries_since": since,
    }


def _last_moment(known: CourseKnownAt, *, is_now: bool) -> str:
    """Return the name of the moment up to which the course is printed."""
    if known.closing is not None:
        return "end of course"
    return "now" if is_now else "then"


def _end_of(known: CourseKnownAt, known_at: datetime) -> datetime:
    """Return where the plots end: now, or the last thing charted of a course that is closed."""
    if known.closing is None:
        return known_at
    return max((row.at for row in known.rows), default=known_at)


def _printed_since(known: CourseKnownAt) -> datetime | None:
    """Return from when on entries are printed; None: all of them."""
    if len(known.rows) <= ENTRIES_AT_MOST:
        return None
    return sorted(row.at for row in known.rows)[-ENTRIES_AT_MOST]


def _rows(data: FlowsheetData) -> list[TimelineRow]:
    """Return the entries in order of time, with what was corrected or marked as an error."""
    return build_rows(data.entries, data.chains, data.weights, ())


def _grade_lines(
    review: ReviewSeries, lines: Sequence[PeriodLine], until: datetime
) -> Iterator[GradeLine]:
    """Yield the grades in order of time; what was not assessed yet is a line of its own."""
    pieces = (piece for piece in _pieces(review) if piece[0] <= until)
    for (grade, at_most, criteria, is_assessed), group in groupby(
        pieces, key=lambda piece: piece[2:]
    ):
        together = list(group)
        start, end = together[0][0], together[-1][1]
        end = None if end is not None and end > until else end
        line = next(
            (one for one in lines if one.start <= start and (one.end is None or start < one.end)),
            None,
        )
        yield GradeLine(
            start, end, duration_text((until if end is None else end) - start), grade, at_most,
            criteria, line.text if line is not None and line.state.mark else "", is_assessed,
        )  # fmt: skip


def _scale_lines(
    scales: CourseScales, known: CourseKnownAt, until: datetime
) -> Iterator[ScaleLine]:
    """Yield what each scale shows over time."""
    steps = assessments_of(known.entries, known.facts, scales.policy, until)
    for scale, levels in shown_levels(scales, steps):
        for one in levels:
            length = duration_text((until if one.end is None else one.end) - one.start)
            yield ScaleLine(scale.short, one.start, one.end, length, one.text)


def _pieces(
    review: ReviewSeries,
) -> Iterator[tuple[datetime, datetime | None, int, int, str, bool]]:
    """Yield each period, divided where a grade 0 begins to be known."""
    since = review.assessed_since
    for period in review.periods:
        found = (period.grade, period.at_most, _criteria_of(period))
        known = was_assessed(period.grade, period.start, since)
        later = since is not None and (period.end is None or since < period.end)
        if known or not later or since is None:
            yield period.start, period.end, *found, known
            continue
        yield period.start, since, *found, False
        yield since, period.end, *found, True


def _criteria_of(period: GradePeriodRow) -> str:
    items = sorted(period.findings["criteria"], key=lambda item: -item["grade"])
    return ", ".join(short_name(item["code"]) for item in items)

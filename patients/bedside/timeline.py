"""Read a page of the timeline, or single entries, and build their rows."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, NamedTuple, Self

from django.utils import timezone

from grading.engine.entries import Weight
from grading.systems import HEADLINE
from patients.display.scale_changes import scale_change_rows
from patients.display.scale_levels import assessments_of
from patients.display.sign_off import SignedNow
from patients.display.timeline import (
    AS_TABLE,
    GRADE_CHANGE,
    GUIDANCE,
    IDENTITY,
    REVIEW,
    SCALE_CHANGE,
    TIMELINE_KINDS,
    TRANSFER,
    Timeline,
    TimelineRow,
    answer_row,
    build_rows,
    build_timeline,
    change_key,
    change_row,
    identity_row,
    move_row,
    review_row,
    row_key,
)
from patients.forms.registry import CORRECTION_FORMS
from patients.models import Entry
from patients.queries.course_changes import read_identity_corrections, read_moves
from patients.queries.courses import now_for, read_course
from patients.queries.guidance_answers import read_all_answers
from patients.queries.known_at import read_known_at
from patients.queries.reviews import Run, SignOff, read_course_reviews
from patients.queries.row_below import read_row_below
from patients.queries.scales import scales_over
from patients.queries.status import read_weights_for
from patients.queries.timeline import (
    PAGE_OF_ROWS,
    TimelinePosition,
    position_of,
    read_correction_chains,
    read_grade_changes,
    read_timeline_page,
    timeline_entry,
)
from patients.review.sign_off import review_periods
from patients.review.text import signed_now

ASKS_ITSELF: Final = frozenset({AS_TABLE, SCALE_CHANGE})
"""What no save and no poll sends: the page asks for it when it hears of a change."""
ROWS_AT_MOST: Final = 400
"""How many entries one answer shows again where a page has loaded many."""
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
_CHANGES_AT_A_TIME: Final = 40


@dataclass(frozen=True, slots=True)
class TimelineView:
    """What a page shows of the timeline: one kind or all, and from where to where.

    ``day`` is the last day shown, None for now. ``before`` is the cursor of older rows, ``until``
    the lowest row that the page shows; both are the id of an entry, or the time of a change of
    grade.
    """

    kind: str = ""
    day: date | None = None
    before: str = ""
    until: str = ""

    @classmethod
    def of(cls, query: Mapping[str, Any], *, kind: str = "show") -> Self:
        """Read what ``query`` asks for; ``kind`` is the name of its parameter for the kind."""
        shown, day = query.get(kind, ""), None
        with suppress(ValueError):
            day = date.fromisoformat(query.get("day", ""))
        return cls(
            kind=shown if shown in dict(TIMELINE_KINDS) else "",
            day=day,
            before=query.get("before", ""),
            until=query.get("until", ""),
        )


def _reviews(course_id: uuid.UUID) -> list[TimelineRow]:
    now = timezone.now()
    chart = read_course_reviews(course_id, HEADLINE, now)
    signed = _signed_now(chart.runs, chart.sign_offs, now)
    return [review_row(one, signed[one.pk]) for one in chart.sign_offs]


def _signed_now(
    runs: Sequence[Run], sign_offs: Sequence[SignOff], now: datetime
) -> dict[int, SignedNow]:
    return signed_now(review_periods(runs, sign_offs, now), sign_offs)


def _scale_changes(course_id: uuid.UUID) -> list[TimelineRow]:
    """Grade the whole course by ASTCT and ICANS: nothing of it is stored."""
    course = read_course(course_id)
    now = now_for(course)
    until = now if course.ended_at is None else min(now, course.ended_at)
    known = read_known_at(course, HEADLINE, now, is_now=True)
    scales = scales_over(known, until)
    return scale_change_rows(
        scales, assessments_of(known.entries, known.facts, scales.policy, until)
    )


_WHOLE_KINDS: Final[Mapping[str, Callable[[uuid.UUID], Iterable[TimelineRow]]]] = {
    GUIDANCE: lambda course_id: map(answer_row, read_all_answers(course_id)),
    TRANSFER: lambda course_id: map(move_row, read_moves(course_id)),
    REVIEW: _reviews,
    IDENTITY: lambda course_id: map(identity_row, read_identity_corrections(course_id)),
    SCALE_CHANGE: _scale_changes,
}
"""The kinds that are no entries and are shown whole: what reads the rows of a course."""


def timeline_of(
    course_id: uuid.UUID,
    now: datetime,
    view: TimelineView | None = None,
    *,
    can_correct: bool = False,
) -> Timeline:
    """Read a page of the timeline as ``view`` asks for, newest first; None is the newest page."""
    view = view or TimelineView()
    if view.kind == GRADE_CHANGE:
        return _grade_changes(course_id, now, view)
    if view.kind in _WHOLE_KINDS:
        rows = list(_WHOLE_KINDS[view.kind](course_id))
        return Timeline(_up_to(view.day, rows), "", view.kind, view.day)
    until = _position(course_id, view.until)
    page = read_timeline_page(
        course_id,
        now,
        HEADLINE,
        after=_position(course_id, view.before) or _end_position(view.day),
        until=until,
        kind=view.kind,
        rows=PAGE_OF_ROWS if until is None else ROWS_AT_MOST,
    )
    signed = _signed_now(*page.reviewed, now)
    return build_timeline(page, view.kind, _correctable(can_correct), view.day, signed)


def _grade_changes(course_id: uuid.UUID, now: datetime, view: TimelineView) -> Timeline:
    """Read a page of the changes of grade; their cursor is the time of the last one."""
    since = _instant(view.until)
    rows = _CHANGES_AT_A_TIME if since is None else ROWS_AT_MOST
    found = read_grade_changes(
        course_id,
        now,
        HEADLINE,
        before=_instant(view.before) or _end_of(view.day),
        since=since,
        rows=rows + 1,
    )
    shown = found[-rows:]
    has_older = len(found) > rows
    if since is not None and not has_older:
        has_older = bool(read_grade_changes(course_id, now, HEADLINE, before=since, rows=1))
    older = shown[0].at.isoformat() if has_older and shown else ""
    return Timeline([change_row(one) for one in reversed(shown)], older, view.kind, view.day)


def _up_to(day: date | None, rows: list[TimelineRow]) -> list[TimelineRow]:
    end = _end_of(day)
    return [row for row in rows if end is None or row.at < end]


def _end_of(day: date | None) -> datetime | None:
    """Return when ``day`` ends at the site; None where that is beyond the calendar."""
    if day is None:
        return None
    try:
        return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))
    except OverflowError:
        return None


def _end_position(day: date | None) -> TimelinePosition | None:
    end = _end_of(day)
    return None if end is None else TimelinePosition(end, _EARLIEST, 0)


def _position(course_id: uuid.UUID, cursor: str) -> TimelinePosition | None:
    try:
        return position_of(course_id, uuid.UUID(cursor))
    except ValueError:
        return None


def _instant(cursor: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(cursor)
    except ValueError:
        return None
    return instant if instant.tzinfo is not None else None


class PlaceBelow(NamedTuple):
    """The HTML id of a row, and whether the page that was asked about shows it."""

    key: str
    is_shown: bool


def row_below(
    course_id: uuid.UUID, now: datetime, position: TimelinePosition, until: str = ""
) -> PlaceBelow | None:
    """Return the row directly below ``position``; None where nothing is older.

    A panel of results has the id of its first row. ``until`` is the lowest row that the page shows
    of the whole timeline, "" where it shows all.
    """
    lowest = None
    with suppress(ValueError):
        lowest = uuid.UUID(until)
    row = read_row_below(course_id, now, HEADLINE, position, lowest)
    if row is None:
        return None
    key = change_key(row.at) if row.id is None else row_key(row.kind, row.id)
    return PlaceBelow(key, row.is_shown)


def rows_of(
    course_id: uuid.UUID,
    entries: Sequence[Entry],
    *,
    can_correct: bool = False,
    is_new: bool = False,
    weights: Sequence[Weight] | None = None,
) -> list[TimelineRow]:
    """Build the rows of ``entries``, in their order, each with what it corrected.

    ``is_new``: they were recorded just now, so that nothing can have replaced them. ``weights`` are
    those in force; with None, the ones that are needed are read.
    """
    shown = [timeline_entry(entry, is_new=is_new) for entry in entries]
    chains = read_correction_chains(shown)
    if weights is None:
        weights = read_weights_for(course_id, [each.read for each in (*shown, *chains.values())])
    return build_rows(shown, chains, weights, _correctable(can_correct))


def _correctable(can_correct: bool) -> Container[str]:
    return frozenset(CORRECTION_FORMS) if can_correct else frozenset()

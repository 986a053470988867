"""The panel that signs the grade of a course, the list of its periods, and what waits elsewhere."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from crs_app.accounts.models import Role, User
from crs_app.accounts.permissions import can_review
from grading.systems import HEADLINE
from patients.display.assessment import was_assessed
from patients.display.places import place_text
from patients.display.sign_off import span_text
from patients.display.signature import signature_of
from patients.display.text import duration_text, moment_text
from patients.models import Course
from patients.queries.courses import courses_by_place, now_for, read_with_clocks
from patients.queries.known_at import read_period_at
from patients.queries.reviews import (
    CourseReviews,
    read_course_reviews,
    read_reviews_of_courses,
)
from patients.review.forms import SignForm, sign_form
from patients.review.sign_off import (
    Piece,
    ReviewPeriod,
    State,
    fall_before,
    first_to_look_at,
    graded_until,
    period_at,
    piece_at,
    review_periods,
    to_sign_at,
)
from patients.review.text import label_text, short_text, state_text

LISTED: Final = 8
"""How many periods of one course the list of what waits names."""


@dataclass(frozen=True, slots=True)
class PeriodLine:
    """A period as a list shows it; ``at`` leads to it, ``is_chosen`` is shown in the panel.

    ``end`` None is open; ``label`` is what its mark says in the plots.
    """

    at: datetime
    start: datetime
    end: datetime | None
    span: str
    label: str
    state: State
    text: str
    waits: bool
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class SignOffPanel:
    """What the panel shows of the chosen period; ``chosen`` None: there is none at that time.

    ``form`` is None for a reader who may not sign, and for a period whose sign-off stands; it can
    then be signed ``again``. ``at`` is an instant in the period. ``is_then``: as it was known
    before now, to read alone. ``covers`` are the number and the time of recording of the last entry
    that a sign-off covers; None where nothing is charted. ``reasons_at`` is the instant whose
    criteria explain the grade. ``not_assessed`` is a sentence where the grade is a 0, and too
    little was charted to know it for the whole period, else ""; ``is_assessed`` says whether it is
    known at the end of the period. ``ended_at`` is when a death of another cause ended grading,
    where the panel is of a time after it.
    """

    lines: Sequence[PeriodLine]
    chosen: ReviewPeriod | None
    text: str
    can_sign: bool
    again: bool
    covers: tuple[int, datetime] | None
    waiting: int
    at: datetime | None
    is_then: bool
    ended_at: datetime | None
    span: str = ""
    length: str = ""
    grade: int | None = None
    form: SignForm | None = None
    reasons_at: datetime | None = None
    not_assessed: str = ""
    is_assessed: bool = True

    @property
    def signature(self) -> str:
        """The digest of all that the panel says, apart from how long the period lasts."""
        shown = (self.lines, self.text, self.grade, self.not_assessed)
        return signature_of(*shown, self.form is None)

    @property
    def marks(self) -> str:
        """The periods with a mark as JSON for the plots: times in seconds, and what to write."""
        return json.dumps(
            [
                {
                    "from": line.start.timestamp(),
                    "to": None if line.end is None else line.end.timestamp(),
                    "key": line.state.key,
                    "mark": line.state.mark,
                    "label": line.label,
                    "text": line.text,
                }
                for line in self.lines
                if line.state.mark
            ]
        )


class PeriodReason(NamedTuple):
    """A criterion that is met, or something not known that could reach ``grade``."""

    grade: int
    text: str
    is_unknown: bool


class WaitingCourse(NamedTuple):
    """An open course with the first periods that wait in it, new looks before the others.

    ``more`` counts those that are not listed.
    """

    course: Course
    place: str
    lines: Sequence[PeriodLine]
    more: int


class SignOffState(NamedTuple):
    """The sign-off of a course in one mark, as a board shows it; ``short`` is "" for none to show.

    ``waiting`` counts the periods that wait.
    """

    state: State
    text: str
    short: str
    waiting: int


class PanelView(NamedTuple):
    """What a page asks of the panel.

    ``at`` is an instant of the period to show; None chooses the one that waits first. ``again``
    offers the form for a period whose sign-off stands. ``form`` is one that was refused; ``typed``
    is what was typed in a form whose period has changed. ``is_then``: as it was known before now.
    """

    at: datetime | None = None
    again: bool = False
    form: SignForm | None = None
    typed: Mapping[str, Any] | None = None
    is_then: bool = False


def build_panel(
    course: Course,
    reader: User,
    chart: CourseReviews,
    now: datetime,
    view: PanelView,
) -> SignOffPanel:
    """Build the panel of the period that ``view`` asks for.

    A time after the end of the last period leads to it, as at an ended course.
    """
    until = graded_until(now, course.ended_at, chart.latest_clinical_at)
    goes_on = course.ended_at is None or (view.is_then and now < course.ended_at)
    periods = review_periods(chart.runs, chart.sign_offs, until, goes_on=goes_on)
    at = None if view.at is None else min(view.at, until)
    chosen = first_to_look_at(periods) if at is None else period_at(periods, at)
    lines = [
        _line(
            period,
            reader.pk,
            is_chosen=period is chosen,
            is_then=view.is_then,
            is_assessed=_is_assessed(period.to_sign, chart),
        )
        for period in periods
    ]
    can_sign = can_review(reader) and not view.is_then
    panel = SignOffPanel(
        lines=lines,
        chosen=chosen,
        text="" if chosen is None else lines[periods.index(chosen)].text,
        form=view.form if can_sign else None,
        can_sign=can_sign,
        again=view.again,
        covers=None if chart.last_entry_at is None else (chart.entry_number, chart.last_entry_at),
        waiting=sum(period.waits for period in periods),
        at=at,
        is_then=view.is_then,
        ended_at=_ended_at(periods, at) if chosen is None else None,
    )
    if chosen is None:
        return panel
    piece = _piece_to_sign(periods, chosen, at)
    return _with_piece(panel, piece, _form_of(piece, chart, now, view), chart)


def _form_of(piece: Piece, chart: CourseReviews, now: datetime, view: PanelView) -> SignForm | None:
    """Return the form that signs ``piece``; where it is not graded, the refused one or None."""
    if piece.grade is None:
        return view.form
    is_assessed = _is_assessed(piece, chart)
    form = view.form or sign_form(_shown(piece, chart, now), view.typed, is_assessed=is_assessed)
    form.is_assessed = is_assessed
    return form


def _with_piece(
    panel: SignOffPanel, piece: Piece, form: SignForm | None, chart: CourseReviews
) -> SignOffPanel:
    """Return ``panel`` with what it shows of ``piece``, and ``form`` where it can be signed."""
    stands = panel.chosen is not None and panel.chosen.state in (State.SIGNED, State.ANOTHER_GRADE)
    return replace(
        panel,
        span=span_text(piece.start, piece.end, is_open=piece.is_open and not panel.is_then),
        length=duration_text(piece.end - piece.start),
        grade=piece.grade,
        is_assessed=_is_assessed(piece, chart),
        form=form if panel.can_sign and (panel.again or not stands) else None,
        reasons_at=_reasons_at(piece, panel.at),
        at=piece.start if panel.at is None else panel.at,
        not_assessed=_not_assessed(piece, chart.assessed_since),
    )


def _is_assessed(piece: Piece, chart: CourseReviews) -> bool:
    return was_assessed(piece.grade, piece.end, chart.assessed_since)


def _not_assessed(piece: Piece, assessed_since: datetime | None) -> str:
    """Return until when a grade 0 of ``piece`` is not known, and why; "" where it is."""
    if was_assessed(piece.grade, piece.start, assessed_since):
        return ""
    until = "" if assessed_since is None else f" until {moment_text(assessed_since)}"
    return (
        f"Not assessed{until}: temperature, blood pressure and oxygen were not all charted. "
        "No criterion was met by what was charted."
    )


def _ended_at(periods: Sequence[ReviewPeriod], at: datetime | None) -> datetime | None:
    """Return when grading ended before ``at``; None where it had not begun yet."""
    if not periods or at is None or at < periods[-1].end:
        return None
    return periods[-1].end


def read_reasons(course: Course, at: datetime, known_at: datetime) -> list[PeriodReason]:
    """Read why the grade at ``at`` is what it is, in one statement.

    First the criteria that are met, the highest first; then what is not known.
    """
    period = read_period_at(course.pk, HEADLINE, at=at, known_at=known_at).period
    if period is None:
        return []
    met = [
        PeriodReason(one["grade"], one["explanation"], is_unknown=False)
        for one in period.findings["criteria"]
    ]
    unknown = [
        PeriodReason(one["could_reach"], one["why"], is_unknown=True)
        for one in period.findings["unknown"]
    ]
    return sorted(met, key=lambda one: -one.grade) + unknown


def _reasons_at(piece: Piece, at: datetime | None) -> datetime:
    return at if at is not None and piece.start <= at < piece.end else piece.start


def _piece_to_sign(
    periods: Sequence[ReviewPeriod], chosen: ReviewPeriod, at: datetime | None
) -> Piece:
    """Return what is signed: the run looked at, where its sign-off does not stand, else another."""
    looked_at = None if at is None else piece_at(chosen.pieces, at)
    piece = chosen.to_sign
    if looked_at is not None and looked_at.grade is not None and not looked_at.is_settled:
        piece = looked_at
    pieces = [each for period in periods for each in period.pieces]
    return to_sign_at(pieces, piece.start) or piece


def _shown(piece: Piece, chart: CourseReviews, now: datetime) -> dict[str, Any]:
    """Return the hidden fields of the form: what the page shows."""
    return {
        "start": piece.start.isoformat(),
        "end": "" if piece.is_open else piece.end.isoformat(),
        "known_at": known_until(chart, now).isoformat(),
        "computed": piece.grade,
        "seen": max((one.pk for one in chart.sign_offs), default=0),
    }


def known_until(chart: CourseReviews, now: datetime) -> datetime:
    """Return up to when a page of ``now`` knows the chart."""
    return max(now, chart.recorded_until or now)


def _line(
    period: ReviewPeriod,
    reader_id: int,
    *,
    is_chosen: bool = False,
    is_then: bool = False,
    is_assessed: bool | None = None,
) -> PeriodLine:
    is_open, today = period.is_open and not is_then, _today(is_then)
    return PeriodLine(
        at=period.to_sign.start,
        start=period.start,
        end=None if is_open else period.end,
        span=span_text(period.start, period.end, is_open=is_open),
        label=label_text(period, today=today, is_assessed=is_assessed),
        state=period.state,
        text=state_text(period, reader_id, today=today, is_assessed=is_assessed),
        waits=period.waits,
        is_chosen=is_chosen,
    )


def _today(is_then: bool) -> str:
    return "then" if is_then else "now"


def read_panel_data(
    course: Course, reader: User, now: datetime, *, known_at: datetime | None = None
) -> CourseReviews:
    """Read what the panel of ``course`` shows, in one statement; ``known_at``: as known then."""
    return read_course_reviews(course.pk, HEADLINE, now, reader_id=reader.pk, known_at=known_at)


def waiting_courses(reader: User, now: datetime) -> list[WaitingCourse]:
    """Return the open courses of the reader's wards in which something waits, in two statements."""
    courses = read_with_clocks(courses_by_place(reader))
    now = max(now, *map(now_for, courses)) if courses else now
    periods = _periods_of([course.pk for course in courses], now)
    waiting = []
    for course in courses:
        found = [period for period in periods[course.pk] if period.waits]
        found.sort(key=lambda period: period.state is not State.NEW_LOOK)
        if found:
            lines = [_line(period, reader.pk) for period in found[:LISTED]]
            place = place_text(course.ward, course.bed)
            waiting.append(WaitingCourse(course, place, lines, max(0, len(found) - LISTED)))
    return waiting


def sign_off_state(
    periods: Sequence[ReviewPeriod], is_assessed: Callable[[Piece], bool] | None = None
) -> SignOffState | None:
    """Return the sign-off of a course with these periods as one mark; None where it has none.

    It is that of a period which needs a new look, else of the last one that waits, else of the last
    one; of a run that is not signed since its grade fell below what was signed, that fall.
    ``is_assessed`` says whether a grade 0 is known.
    """
    first = fall_before(periods) or first_to_look_at(periods)
    if first is None:
        return None
    waiting = sum(period.waits for period in periods)
    known = None if is_assessed is None else is_assessed(first.to_sign)
    text = state_text(first, None, is_assessed=known)
    short = short_text(first, waiting, is_assessed=known)
    return SignOffState(first.state, text, short, waiting)


def _periods_of(
    course_ids: Sequence[uuid.UUID], now: datetime
) -> dict[uuid.UUID, list[ReviewPeriod]]:
    found = read_reviews_of_courses(course_ids, HEADLINE, now)
    return {
        course_id: review_periods(*found.get(course_id, ([], [])), now) for course_id in course_ids
    }


REVIEWER: str = Role.ICU_REVIEWER.label
"""The role that signs, as pages name it."""

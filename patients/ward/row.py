"""Rows of the ward board: each shows a course at one instant, from what was read of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from grading.engine.times import moved
from patients.display.banner import sex_letter
from patients.display.ice_due import IceDue, ice_due, tool_of
from patients.display.next_change import GradeAt, NextChange, next_change
from patients.display.support import Support, support_of
from patients.display.text import day_text, until_text
from patients.guidance.advice import reassessment_at
from patients.queries.ages import age_text_of
from patients.queries.board import OpenCourse
from patients.queries.board_facts import BoardFacts, Period
from patients.queries.grades import GradeInterval
from patients.review.panel import SignOffState
from patients.review.sign_off import State
from patients.ward.to_do import (
    SHOWN,
    Observations,
    Tag,
    observations_due,
    questions_of,
    risk_questions,
    tags_of,
)
from patients.ward.trend import Span, Trend, end_of_trend, trend_of

RISE_IS_SOON: Final = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class BoardRow:
    """Row of one open course on the ward board; ``person`` is age and sex, "54 y F".

    A grade 0 that was not ``assessed`` is not shown. ``change_in`` says how long it is to the next
    change by the clock; ``ice_due_at`` when ICE or CAPD is due, ``check_at`` when the patient is
    looked at 24 h after tocilizumab. ``sign_off`` is None where nothing is signed and nothing
    waits. ``observations`` is None where none are due.
    """

    course_id: UUID
    name: str
    mrn: str
    person: str
    ward: str
    bed: str
    product: str
    day: int
    grade: int | None
    at_most: int | None
    maximum: int | None
    assessed: bool
    next_change: NextChange | None
    change_in: str
    rises_soon: bool
    support: Support
    last_observation_at: datetime | None
    observations: Observations | None
    ice_due_at: datetime | None
    check_at: datetime | None
    to_do: tuple[Tag, ...]
    trend: Trend
    sign_off: SignOffState | None

    @property
    def rises_at(self) -> datetime | None:
        """When the grade will rise by the clock alone; None where it will not."""
        change = self.next_change
        return change.at if change is not None and change.direction == "up" else None

    @property
    def waits_for_sign_off(self) -> bool:
        """Whether a period waits for its sign-off, or a signed one needs a new look or fell."""
        signed = self.sign_off
        return signed is not None and (
            signed.waiting > 0 or signed.state in (State.NEW_LOOK, State.FELL)
        )

    @property
    def is_late(self) -> bool:
        return self.observations is not None and self.observations.is_late

    @property
    def due_at(self) -> datetime | None:
        return None if self.observations is None else self.observations.due_at

    @property
    def shown_tags(self) -> tuple[Tag, ...]:
        return self.to_do[:SHOWN]

    @property
    def other_tags(self) -> tuple[Tag, ...]:
        return self.to_do[SHOWN:]

    def changes_at(self, now: datetime) -> datetime | None:
        """Return when the row reads otherwise by time alone, apart from how long something waits.

        None where it does not.
        """
        instants = [self.due_at, self.ice_due_at, self.check_at, self.rises_at]
        if self.rises_at is not None:
            instants.append(moved(self.rises_at, -RISE_IS_SOON))
        return min((at for at in instants if at is not None and at > now), default=None)


def rows_hold_until(rows: Iterable[BoardRow], now: datetime) -> datetime:
    """Return until when ``rows`` read as they do at ``now``, apart from changes of grade.

    It is the end of the hour at the latest, when the lines of the last day go on.
    """
    changes = [at for row in rows if (at := row.changes_at(now)) is not None]
    return min([end_of_trend(now), *changes])


@dataclass(frozen=True, slots=True)
class BoardCourse:
    """What the board reads of a course: facts, grades ``before`` the present period, sign-off.

    ``before`` has those grades that the row needs, ``highest_before`` is the highest of all.
    """

    facts: BoardFacts
    before: Sequence[GradeInterval]
    highest_before: int | None
    sign_off: SignOffState | None


def board_row(course: OpenCourse, charted: BoardCourse, now: datetime) -> BoardRow:
    """Return the row of ``course`` at ``now``, an instant at which ``charted`` still holds."""
    facts = charted.facts
    current = next((one for one in facts.periods if _holds(one, now)), None)
    grade = None if current is None else current.grade
    assessed = grade != 0 or facts.assessed_since is not None
    change = None if current is None else _next_change(current, facts.periods, now)
    observations = None if current is None else _observations(course, facts, current, now)
    ice = None if current is None else _ice(course, facts, current, now)
    check = None if current is None else _check(course, charted, current, now)
    questions: list[str] = []
    if current is not None:
        questions = questions_of(current.findings, current.grade)
        questions += risk_questions(facts.risks, current.grade)
    maximum = _highest(charted, now)
    signed = charted.sign_off
    return BoardRow(
        course_id=course.course_id,
        name=course.name,
        mrn=course.mrn,
        person=f"{_age_text(course, now)} {sex_letter(course.sex)}".strip(),
        ward=course.ward,
        bed=course.bed,
        product=course.product,
        day=day_text(course.infused_at, now),
        grade=grade,
        at_most=None if current is None else current.at_most,
        maximum=maximum if assessed else maximum or None,
        assessed=assessed,
        next_change=change,
        change_in="" if change is None else until_text(change.at, now),
        rises_soon=change is not None
        and change.direction == "up"
        and change.at - now <= RISE_IS_SOON,
        support=support_of(facts.support, course.infused_at),
        last_observation_at=facts.last_observation_at,
        observations=observations,
        ice_due_at=None if ice is None else ice.due_at,
        check_at=None if check is None else check[0],
        to_do=tags_of(observations, ice, check, questions, now),
        trend=trend_of(_spans(charted, now), now),
        sign_off=signed if signed is not None and signed.short else None,
    )


def _holds(period: Period, now: datetime) -> bool:
    return period.start <= now and (period.end is None or now < period.end)


def _age_text(course: OpenCourse, now: datetime) -> str:
    if course.birth_date is not None:
        return age_text_of(course.birth_date, now)
    return "" if course.age_years is None else f"{int(course.age_years)} y"


def _next_change(current: Period, periods: Sequence[Period], now: datetime) -> NextChange | None:
    """Return the next change of grade or bound: a period may end by a change of findings alone."""
    shown = (current.grade, current.at_most)
    others = (one for one in periods if one.start > now and (one.grade, one.at_most) != shown)
    coming = next(others, None)
    if coming is None:
        return None
    before, after = (GradeAt(one.grade, one.at_most, one.findings) for one in (current, coming))
    return next_change(coming.start, before, after, now)


def _observations(
    course: OpenCourse, facts: BoardFacts, current: Period, now: datetime
) -> Observations | None:
    interval = current.policy.observations_due_after(current.grade)
    return observations_due(
        facts.temperature_at, facts.pressure_at, course.infused_at, interval, now
    )


def _ice(course: OpenCourse, facts: BoardFacts, current: Period, now: datetime) -> IceDue | None:
    patient, policy = facts.patient, current.policy
    tool = tool_of(patient.age_in_completed_years, patient.developmental_delay, policy)
    return ice_due(
        facts.rounds,
        policy,
        tool=tool,
        infused_at=course.infused_at,
        now=now,
        ended=policy.observations_due_after(current.grade) is None,
    )


def _check(
    course: OpenCourse, charted: BoardCourse, current: Period, now: datetime
) -> tuple[datetime, bool] | None:
    facts = charted.facts
    if not facts.doses:
        return None
    begun = [GradeInterval(p.start, p.end, p.grade) for p in facts.periods if p.start <= now]
    grades, history = (current.grade, current.at_most), [*charted.before, *begun]
    return reassessment_at(now, grades, course.infused_at, facts.doses, history, facts.answer)


def _highest(charted: BoardCourse, now: datetime) -> int | None:
    begun = [period.grade for period in charted.facts.periods if period.start <= now]
    if charted.highest_before is not None:
        begun.append(charted.highest_before)
    return max(begun, default=None)


def _spans(charted: BoardCourse, now: datetime) -> list[Span]:
    """Return the grades up to ``now``, without a grade 0 from before the course was assessed."""
    since = charted.facts.assessed_since
    spans: list[Span] = []
    grades: list[GradeInterval | Period] = [*charted.before, *charted.facts.periods]
    for one in grades:
        if one.start > now:
            break
        if one.grade > 0:
            spans.append((one.start, one.end, one.grade))
        elif since is not None and (one.end is None or since < one.end):
            spans.append((max(one.start, since), one.end, 0))
    return spans

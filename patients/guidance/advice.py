"""Compute the guidance for a course."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils import timezone

from grading.engine.algorithm import Item, Reply
from grading.engine.entries import Entry, Risk, Treatment
from grading.engine.vocabulary import RiskQuestion, TreatmentAgent
from grading.guidance import GuidanceAnswer as AnswerGiven
from grading.guidance import advise
from grading.service import CurrentStatus
from grading.systems import HEADLINE
from patients.display.text import clock_text
from patients.models import Course
from patients.queries.entries import EntryRow, course_facts, parse_entries
from patients.queries.grades import GradeHistory, GradeInterval, read_grade_history
from patients.queries.guidance_answers import AnswerRow
from patients.queries.policies import policy_periods_for
from patients.queries.status import CourseStatus, read_course_status

CHARTED_BY_DONE: Final[Mapping[str, tuple[TreatmentAgent, ...]]] = {
    "support.vigilant": (TreatmentAgent.ANTIPYRETIC,),
    "infection.workup": (TreatmentAgent.ANTIBIOTICS,),
    "immunosuppression.consider": (
        TreatmentAgent.TOCILIZUMAB,
        TreatmentAgent.METHYLPREDNISOLONE,
        TreatmentAgent.DEXAMETHASONE,
    ),
    "immunosuppression.indicated": (
        TreatmentAgent.TOCILIZUMAB,
        TreatmentAgent.METHYLPREDNISOLONE,
        TreatmentAgent.DEXAMETHASONE,
    ),
    "tocilizumab.dose": (TreatmentAgent.TOCILIZUMAB,),
    "tocilizumab.reassess": (
        TreatmentAgent.TOCILIZUMAB,
        TreatmentAgent.METHYLPREDNISOLONE,
        TreatmentAgent.DEXAMETHASONE,
    ),
    "corticosteroid.first_line": (
        TreatmentAgent.DEXAMETHASONE,
        TreatmentAgent.METHYLPREDNISOLONE,
    ),
    "dexamethasone.dose": (TreatmentAgent.DEXAMETHASONE,),
    "methylprednisolone.dose": (TreatmentAgent.METHYLPREDNISOLONE,),
    "hydrocortisone.stress": (TreatmentAgent.HYDROCORTISONE,),
    "second_agents.not_routine": (
        TreatmentAgent.ETANERCEPT,
        TreatmentAgent.INFLIXIMAB,
        TreatmentAgent.ANAKINRA,
    ),
}
"""What *done* to an item can chart, by its code; an item that is not here charts nothing."""
_ASKED_ANEW_BY_A_DOSE: Final = ("tocilizumab.", "immunosuppression.")


@dataclass(frozen=True, slots=True)
class Advice:
    """What is advised on a course where it stands, and what that rests on.

    ``given`` are the entries that guidance needs, ``read`` the same in grading's words.
    """

    course: Course
    status: CurrentStatus
    items: tuple[Item, ...]
    answers: Mapping[str, AnswerRow]
    stretches: Sequence[GradeInterval]
    given: Sequence[EntryRow]
    read: Sequence[Entry]

    @property
    def treatments(self) -> list[Treatment]:
        """Every treatment charted up to now, earliest first."""
        return [e for e in self.read if isinstance(e, Treatment) and e.at <= self.status.at]


def advice_for_course(course: Course, now: datetime) -> Advice:
    """Compute the guidance for ``course`` at ``now``; never cached."""
    return advice_of(read_course_status(course, now), read_grade_history(course.pk, now, HEADLINE))


def advice_of(status: CourseStatus, history: GradeHistory) -> Advice:
    """Compute the guidance for a course that was read already."""
    return advice_for_status(
        status.course, status.current, history.grades, status.for_guidance, status.answers
    )


def advice_for_status(
    course: Course,
    status: CurrentStatus,
    stretches: Sequence[GradeInterval],
    given: Sequence[EntryRow],
    answers: Mapping[str, AnswerRow],
) -> Advice:
    """What is advised on a course that stands at ``status``.

    By the grades held, the entries that guidance needs, and the latest answer to each item.
    """
    read = parse_entries(given)
    items = advise(
        course_facts(course, policy_periods_for(course, ())),  # the policy in force is the status's
        status,
        read,
        stretches,
        answers=[
            AnswerGiven(answer.code, Reply(answer.reply), answer.recorded_at)
            for answer in answers.values()
        ],
        timezone=timezone.get_current_timezone(),
    )
    return Advice(course, status, items, answers, stretches, given, read)


def why_asked_again(item: Item, answer: AnswerRow, advised: Advice) -> str:
    """Why an answer no longer holds: "" while it does."""
    now = advised.status.at
    if answer.returns_at is not None and answer.returns_at <= now:
        return f"asked again since {clock_text(answer.returns_at, now)}"
    if (risen := _risen_since(answer, advised)) is not None:
        return f"asked again: grade {risen}"
    if answer.charted_anew:
        return "asked again: what it charted was taken back or corrected"
    if answer.charted and item.dose_mg is not None:
        return "asked again: another dose is worked out"
    if item.code.startswith(_ASKED_ANEW_BY_A_DOSE):
        last = last_tocilizumab(advised)
        if last is not None and last.recorded_at > answer.recorded_at:
            return "asked again: tocilizumab was given since"
    return ""


def _risen_since(answer: AnswerRow, advised: Advice) -> str | None:
    """The change of grade upwards since ``answer``, by the clock or by what was charted later."""
    before, risen = None, None
    for stretch in advised.stretches:
        rose = before is not None and stretch.grade > before
        if rose and stretch.start > answer.recorded_at:
            risen = f"{before} to {stretch.grade} at {clock_text(stretch.start, advised.status.at)}"
        before = stretch.grade
    grade = advised.status.grade
    if risen is None and grade is not None and grade > answer.grade:
        risen = f"{answer.grade} to {grade} by what was charted since"
    return risen


def risk_answers(advised: Advice) -> dict[RiskQuestion, tuple[bool, str]]:
    """The answers that hold, each with its entry."""
    answers = {}
    for entry in advised.read:
        if isinstance(entry, Risk) and entry.at <= advised.status.at:
            for question in RiskQuestion:
                if (present := getattr(entry, question.value)) is not None:
                    answers[question] = (present, entry.id)
    return answers


def last_tocilizumab(advised: Advice) -> Treatment | None:
    doses = [t for t in advised.treatments if t.agent is TreatmentAgent.TOCILIZUMAB]
    return doses[-1] if doses else None

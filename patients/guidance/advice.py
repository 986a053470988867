"""Compute the guidance for a course."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils import timezone

from grading.engine.algorithm import REASSESS, Item, Reply
from grading.engine.algorithm import GradeInterval as Interval
from grading.engine.algorithm.evidence import REASSESS_AFTER, hours
from grading.engine.entries import Entry, Risk, Treatment
from grading.engine.facts import CourseFacts
from grading.engine.vocabulary import RiskQuestion, TreatmentAgent
from grading.guidance import GuidanceAnswer as EngineAnswer
from grading.guidance import Reassessment, advise, reassessment_of
from grading.service import CurrentStatus
from grading.systems import HEADLINE
from patients.display.text import clock_text
from patients.models import Course
from patients.queries.ages import facts_of_age
from patients.queries.entries import EntryRow, parse_entries
from patients.queries.grades import GradeHistory, GradeInterval, read_grade_history
from patients.queries.guidance_answers import AnswerRow
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
"""The treatments that *done* can chart, by the code of the item; other items chart nothing."""
_ASKED_AGAIN_AFTER_DOSE: Final = ("tocilizumab.", "immunosuppression.")


@dataclass(frozen=True, slots=True)
class Advice:
    """Guidance items for a course at one time, with the values they were computed from.

    ``intervals`` are the grades up to then, in order. ``entry_rows`` are the rows of the entries
    that guidance needs, ``entries`` the same entries parsed.
    """

    course: Course
    status: CurrentStatus
    items: tuple[Item, ...]
    answers: Mapping[str, AnswerRow]
    intervals: Sequence[GradeInterval]
    entry_rows: Sequence[EntryRow]
    entries: Sequence[Entry]

    @property
    def treatments(self) -> list[Treatment]:
        """The treatments charted up to the time of ``status``, earliest first."""
        return [e for e in self.entries if isinstance(e, Treatment) and e.at <= self.status.at]


def advice_for_course(course: Course, now: datetime) -> Advice:
    """Compute the guidance for ``course`` at ``now``; never cached."""
    return advice_of(read_course_status(course, now), read_grade_history(course.pk, now, HEADLINE))


def advice_of(status: CourseStatus, history: GradeHistory) -> Advice:
    """Compute the guidance from a status and a grade history that were read already."""
    return advice_for_status(
        status.course, status.current, history.grades, status.for_guidance, status.answers
    )


def advice_for_status(
    course: Course,
    status: CurrentStatus,
    intervals: Sequence[GradeInterval],
    entry_rows: Sequence[EntryRow],
    answers: Mapping[str, AnswerRow],
) -> Advice:
    """Compute the guidance for ``course`` at ``status``.

    ``intervals`` are the grades up to then, ``entry_rows`` the entries that guidance needs, and
    ``answers`` the latest answer to each item by its code.
    """
    entries = parse_entries(entry_rows)
    items = advise(
        facts_of_age(course),  # The policy in force is in the status.
        status,
        entries,
        intervals,
        answers=map(_as_engine_takes, answers.values()),
        timezone=timezone.get_default_timezone(),
    )
    return Advice(course, status, items, answers, intervals, entry_rows, entries)


def why_asked_again(item: Item, answer: AnswerRow, advice: Advice) -> str:
    """Return why ``item`` is asked again in spite of ``answer``; "" where it is not."""
    return _why_again(
        item.code,
        answer,
        advice.status,
        advice.intervals,
        last_tocilizumab(advice),
        has_dose=item.dose_mg is not None,
    )


def _why_again(
    code: str,
    answer: AnswerRow,
    status: CurrentStatus,
    intervals: Iterable[Interval],
    last_dose: Treatment | None,
    *,
    has_dose: bool,
) -> str:
    now = status.at
    if answer.returns_at is not None and answer.returns_at <= now:
        return f"asked again since {clock_text(answer.returns_at, now)}"
    if (risen := _grade_rise_since(answer, status, intervals)) is not None:
        return f"asked again: grade {risen}"
    if answer.was_replaced:
        return "asked again: the entry it charted was retracted or corrected"
    if answer.charted and has_dose:
        return "asked again: another dose is worked out"
    if code.startswith(_ASKED_AGAIN_AFTER_DOSE) and last_dose is not None:
        return _dose_since(answer, last_dose)
    return ""


def _dose_since(answer: AnswerRow, dose: Treatment) -> str:
    """Return what the last dose of tocilizumab has that ``answer`` did not know; "" for nothing.

    A correction does not tell when its dose was charted first. One of a dose of the 24 h before
    the answer asks again: the dose may have been charted after it.
    """
    if dose.at > answer.recorded_at:
        return "asked again: tocilizumab was given since"
    if dose.recorded_at <= answer.recorded_at:
        return ""
    if dose.replaces is None:
        return "asked again: tocilizumab was charted since"
    if answer.recorded_at - dose.at < hours(REASSESS_AFTER):
        return "asked again: a dose of tocilizumab was corrected since"
    return ""


def _grade_rise_since(
    answer: AnswerRow, status: CurrentStatus, intervals: Iterable[Interval]
) -> str | None:
    """Return the last rise of the grade after ``answer`` in words, None where there is none.

    A rise comes with time alone, or from an entry that was recorded later.
    """
    before, risen = None, None
    for interval in intervals:
        rose = before is not None and interval.grade > before
        if rose and interval.start > answer.recorded_at:
            risen = f"{before} to {interval.grade} at {clock_text(interval.start, status.at)}"
        before = interval.grade
    if risen is None and status.grade is not None and status.grade > answer.grade:
        risen = f"{answer.grade} to {status.grade} by what was charted since"
    return risen


def reassessment_at(
    now: datetime,
    grades: tuple[int, int],
    infused_at: datetime,
    doses: Sequence[Treatment],
    history: Sequence[Interval],
    answer: AnswerRow | None,
) -> Reassessment | None:
    """Return the look at a patient 24 h after tocilizumab that waits or is asked, else None.

    ``grades`` are the grade and its bound. ``doses`` are those of tocilizumab up to ``now``;
    ``history`` the grades since the infusion; ``answer`` the latest to the question.
    """
    if not doses:
        return None
    status = CurrentStatus(now, *grades)
    answers = [] if answer is None else [_as_engine_takes(answer)]
    found = reassessment_of(CourseFacts(infused_at), status, doses, history, answers)
    if found is None or not found.is_asked or answer is None:
        return found
    again = _why_again(REASSESS, answer, status, history, doses[-1], has_dose=False)
    return found if again else None


def _as_engine_takes(answer: AnswerRow) -> EngineAnswer:
    return EngineAnswer(answer.code, Reply(answer.reply), answer.recorded_at)


def risk_answers(advice: Advice) -> dict[RiskQuestion, tuple[bool, str]]:
    """Return the latest answer to each risk question, with the id of its entry."""
    answers = {}
    for entry in advice.entries:
        if isinstance(entry, Risk) and entry.at <= advice.status.at:
            for question in RiskQuestion:
                if (present := getattr(entry, question.value)) is not None:
                    answers[question] = (present, entry.id)
    return answers


def last_tocilizumab(advice: Advice) -> Treatment | None:
    """Return the latest tocilizumab dose; None where none was charted."""
    doses = [t for t in advice.treatments if t.agent is TreatmentAgent.TOCILIZUMAB]
    return doses[-1] if doses else None

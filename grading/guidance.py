"""Public interface of guidance: the paper's algorithm applied to the status of a course."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Final, NamedTuple

from grading.engine import algorithm
from grading.engine.algorithm import (
    REASSESS,
    GradeInterval,
    Item,
    Reply,
    RiskAnswer,
    Situation,
    counted_toxicities,
)
from grading.engine.algorithm.evidence import REASSESS_AFTER, hours
from grading.engine.algorithm.tree import is_awaiting, reassessment
from grading.engine.entries import BaselineFacts, Entry, Lab, Risk, Symptom, Toxicity, Treatment
from grading.engine.facts import CourseFacts
from grading.engine.fold import in_order
from grading.engine.grading_system import DEATH_GRADE
from grading.engine.times import moved
from grading.engine.vocabulary import RiskQuestion
from grading.service import CurrentStatus

__all__ = [
    "GuidanceAnswer",
    "Item",
    "Reassessment",
    "Reply",
    "advise",
    "reassessment_of",
    "situation_of",
]

_NO_ANSWERS: Final[Mapping[str, bool | None]] = {}


@dataclass(frozen=True, slots=True)
class GuidanceAnswer:
    """What a clinician answered to the item ``code`` at ``at``."""

    code: str
    reply: Reply
    at: datetime


def advise(
    facts: CourseFacts,
    status: CurrentStatus,
    entries: Iterable[Entry],
    history: Iterable[GradeInterval],
    *,
    risk: Mapping[str, bool | None] = _NO_ANSWERS,
    answers: Iterable[GuidanceAnswer] = (),
    timezone: tzinfo | None = None,
) -> tuple[Item, ...]:
    """Guidance for ``status``, the most urgent first; none where nothing is graded.

    Parameters are those of ``situation_of``.
    """
    situation = situation_of(
        facts, status, entries, history, risk=risk, answers=answers, timezone=timezone
    )
    return () if situation is None else algorithm.advise(situation)


class Reassessment(NamedTuple):
    """The look at a patient 24 h after tocilizumab; ``is_asked``: advise has its item now."""

    due_at: datetime
    is_asked: bool


def reassessment_of(
    facts: CourseFacts,
    status: CurrentStatus,
    doses: Sequence[Treatment],
    history: Iterable[GradeInterval],
    answers: Iterable[GuidanceAnswer],
) -> Reassessment | None:
    """Return the reassessment that ``advise`` waits for or asks; None where it does neither.

    ``doses`` are those of tocilizumab; of ``status`` only time and grades are read.
    """
    situation = situation_of(facts, status, doses, history, answers=answers)
    if situation is None or situation.grade in (0, DEATH_GRADE) or not situation.treatments:
        return None
    due_at = moved(situation.treatments[-1].at, hours(REASSESS_AFTER))
    if is_awaiting(situation):
        return Reassessment(due_at, is_asked=False)
    return Reassessment(due_at, is_asked=True) if reassessment(situation) else None


def situation_of(
    facts: CourseFacts,
    status: CurrentStatus,
    entries: Iterable[Entry],
    history: Iterable[GradeInterval],
    *,
    risk: Mapping[str, bool | None] = _NO_ANSWERS,
    answers: Iterable[GuidanceAnswer] = (),
    timezone: tzinfo | None = None,
) -> Situation | None:
    """Build the algorithm's input at the instant of ``status``; None where nothing is graded.

    ``entries`` are those in force: at least every treatment, risk answer and baseline entry, and
    every toxicity, symptom and laboratory result from before the infusion; more does no harm, and
    what lies after the instant is left out. ``history`` holds the grades since the infusion.
    ``risk`` are the answers charted with the patient. Times are written in ``timezone``, None
    being the offset of the infusion.
    """
    if status.grade is None or status.at_most is None:
        return None
    facts = replace(facts, policy=status.policy, policies=())
    every = list(entries)
    baseline = facts.baseline.with_entries(e for e in every if isinstance(e, BaselineFacts))
    known = in_order(entry for entry in every if entry.at <= status.at)
    before = [entry for entry in known if entry.at < facts.infused_at]
    return Situation(
        now=status.at,
        timezone=timezone or facts.infused_at.tzinfo,
        facts=facts,
        grade=status.grade,
        at_most=status.at_most,
        criteria=status.criteria,
        unknown=status.unknown,
        excluded=tuple(excluded.what for excluded in status.excluded),
        latest=status.latest,
        before=_latest_before(before),
        stale=status.stale,
        weight_kg=status.weight_kg,
        baseline_systolic_known=baseline.systolic_mmhg is not None,
        risk=_risk(risk, known),
        treatments=tuple(entry for entry in known if isinstance(entry, Treatment)),
        toxicities=counted_toxicities(facts.policy, baseline, before, status.latest),
        history=tuple(item for item in history if item.start <= status.at),
        stabilised_at=_stabilised_at(answers, status.at),
    )


def _latest_before(entries: Iterable[Entry]) -> dict[str, Entry]:
    """The latest about each result, toxicity and symptom from before the infusion."""
    latest: dict[str, Entry] = {}
    for entry in entries:
        if isinstance(entry, Lab):
            latest[f"lab.{entry.analyte}"] = entry
        elif isinstance(entry, Toxicity | Symptom):
            latest[f"{entry.kind}.{entry.term}"] = entry
    return latest


def _risk(
    at_the_start: Mapping[str, bool | None], entries: Iterable[Entry]
) -> dict[RiskQuestion, RiskAnswer]:
    """Each question's latest answer; an entry that leaves one out does not change its answer."""
    answers = {
        question: RiskAnswer(present)
        for question in RiskQuestion
        if (present := at_the_start.get(question.value)) is not None
    }
    for entry in entries:
        if isinstance(entry, Risk):
            for question in RiskQuestion:
                present = getattr(entry, question.value)
                if present is not None:
                    answers[question] = RiskAnswer(present, entry.id)
    return answers


def _stabilised_at(answers: Iterable[GuidanceAnswer], now: datetime) -> datetime | None:
    return max(
        (
            answer.at
            for answer in answers
            if answer.code == REASSESS and answer.reply == Reply.STABILISED and answer.at <= now
        ),
        default=None,
    )

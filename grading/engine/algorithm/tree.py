"""The questions of Figure 2 and of the text: which branch a situation is on."""

from __future__ import annotations

from typing import Final, NamedTuple

from grading.engine.algorithm.evidence import JUST_GIVEN, REASSESS_AFTER, hours
from grading.engine.algorithm.situation import Situation
from grading.engine.algorithm.toxicities import CountedToxicity
from grading.engine.entries import Treatment
from grading.engine.vocabulary import RiskQuestion, TreatmentAgent

EARLIER_TREATMENT: Final = (RiskQuestion.EXTENSIVE_COMORBIDITIES, RiskQuestion.OLDER_AGE)
"""The two questions that decide whether grade 2 is treated like grade 3."""

CORTICOSTEROIDS: Final = (
    TreatmentAgent.METHYLPREDNISOLONE,
    TreatmentAgent.DEXAMETHASONE,
    TreatmentAgent.HYDROCORTISONE,
)
_IMMUNOSUPPRESSIVE: Final = (TreatmentAgent.METHYLPREDNISOLONE, TreatmentAgent.DEXAMETHASONE)

SEVERE: Final = 3
LIFE_THREATENING: Final = 4
"""Grades of CRS; of a toxicity by CTCAE the same words go with the same numbers."""


def is_severe(situation: Situation) -> bool:
    """Grade 3 or 4: all such patients are treated with immunosuppression."""
    return SEVERE <= situation.grade <= LIFE_THREATENING


def risk_unanswered(situation: Situation) -> bool:
    """Grade 2 with one of the two questions open."""
    return situation.grade == 2 and any(
        situation.answered(question) is None for question in EARLIER_TREATMENT
    )


def may_treat_early(situation: Situation) -> bool:
    """Grade 2 with extensive comorbidities or older age."""
    return situation.grade == 2 and any(
        situation.answered(question) is True for question in EARLIER_TREATMENT
    )


def is_not_advised(situation: Situation) -> bool:
    """No immunosuppression by grade and risk, known to be below 3, and none waiting to repeat."""
    low_risk = all(situation.answered(question) is False for question in EARLIER_TREATMENT)
    mild = situation.grade == 1 or (situation.grade == 2 and low_risk)
    return mild and situation.at_most < SEVERE and reassessment(situation) is None


def last_tocilizumab(situation: Situation) -> Treatment | None:
    """Return the latest dose of tocilizumab, None where there is none."""
    doses = situation.doses_of(TreatmentAgent.TOCILIZUMAB)
    return doses[-1] if doses else None


def is_awaiting(situation: Situation) -> bool:
    """Return whether the latest tocilizumab is under 24 h old; at 24 h it is time to reassess."""
    last = last_tocilizumab(situation)
    return last is not None and situation.now - last.at < hours(REASSESS_AFTER)


class Reassessment(NamedTuple):
    """A dose after which the patient is not better, and the grade at it."""

    dose: Treatment
    grade_then: int
    is_worse: bool


def reassessment(situation: Situation) -> Reassessment | None:
    """Return the latest tocilizumab, if 24 h later the grade is at least 2 and not lower.

    A dose from before the infusion was not for this CRS: there is no grade to compare with.
    """
    last = last_tocilizumab(situation)
    if last is None or is_awaiting(situation) or situation.grade < 2:
        return None
    then = situation.grade_at(last.at)
    if then is None or situation.grade < then:
        return None
    if _answered_stabilised(situation, last) or _recovered_since(situation, last):
        return None
    return Reassessment(last, then, situation.grade > then)


def _answered_stabilised(situation: Situation, dose: Treatment) -> bool:
    return situation.stabilised_at is not None and situation.stabilised_at > dose.at


def _recovered_since(situation: Situation, dose: Treatment) -> bool:
    """Return whether the grade has come down to 1 or 0 at some time since ``dose``.

    After a dose at grade 1 or 0 the grade must have risen before it can have recovered.
    """
    was_ill = False
    for interval in situation.history:
        if interval.end is not None and interval.end <= dose.at:
            continue
        if interval.grade >= 2:
            was_ill = True
        elif was_ill:
            return True
    return False


def neurologic(situation: Situation, at_least: int) -> tuple[CountedToxicity, ...]:
    """Counted neurologic toxicities of at least that CTCAE grade."""
    return tuple(
        item for item in situation.toxicities if item.is_neurologic and item.ctcae >= at_least
    )


def steroids_come_first(situation: Situation) -> bool:
    """Neurologic toxicity without hemodynamic instability or another threat to life."""
    if not is_severe(situation) or not neurologic(situation, at_least=2):
        return False
    unstable = situation.meets("vasopressor.", "hypotension.", "ventilator", "life_threatening")
    other_threat = any(
        item.crs_grade == LIFE_THREATENING and not item.is_neurologic
        for item in situation.toxicities
    )
    return not unstable and not other_threat


def tocilizumab_in_play(situation: Situation) -> bool:
    """Return whether a dose of tocilizumab is worked out: never within 24 h after one."""
    if is_awaiting(situation) or steroids_come_first(situation):
        return False
    advised = may_treat_early(situation) or is_severe(situation)
    return advised or reassessment(situation) is not None


def dexamethasone_in_play(situation: Situation) -> bool:
    """Severe neurologic symptoms at CRS grade 3 or 4."""
    return is_severe(situation) and bool(neurologic(situation, at_least=SEVERE))


def methylprednisolone_in_play(situation: Situation) -> bool:
    """Return whether corticosteroids are in play and dexamethasone is not: never both."""
    in_play = (
        situation.grade == LIFE_THREATENING
        or steroids_come_first(situation)
        or reassessment(situation) is not None
    )
    return in_play and not dexamethasone_in_play(situation)


def just_given(situation: Situation, *agents: TreatmentAgent) -> Treatment | None:
    """Return the latest dose of ``agents``, if too recent to suggest another."""
    doses = situation.doses_of(*agents)
    if not doses or situation.now - doses[-1].at >= hours(JUST_GIVEN):
        return None
    return doses[-1]


def corticosteroid_just_given(situation: Situation) -> Treatment | None:
    """Return the latest immunosuppressive corticosteroid, if too recent to propose another."""
    return just_given(situation, *_IMMUNOSUPPRESSIVE)

"""Whether to treat with immunosuppression: the branches of Figure 2."""

from __future__ import annotations

from typing import Final

from grading.engine.algorithm import tree
from grading.engine.algorithm.item import ACTION, Indicator, Input, RuleResult
from grading.engine.algorithm.situation import Situation, amount
from grading.engine.vocabulary import RiskQuestion, TreatmentAgent

_SECOND_LINE: Final = (
    TreatmentAgent.ETANERCEPT,
    TreatmentAgent.INFLIXIMAB,
    TreatmentAgent.ANAKINRA,
)


def not_advised(situation: Situation) -> RuleResult | None:
    """No immunosuppression: grade 1, or grade 2 where both risks were answered with no."""
    if not tree.is_not_advised(situation):
        return None
    if situation.grade == 1:
        return RuleResult(
            indicator=Indicator.INFO,
            summary="Grade 1: symptomatic treatment; no immunosuppression at this grade",
            detail="The paper recommends symptomatic treatment of grade 1 CRS: the aim is not to "
            "extinguish it but to prevent life-threatening toxicity while keeping the effect on "
            "the tumor.",
            inputs=situation.criteria_inputs(),
            unknown=situation.doubts(),
        )
    return RuleResult(
        indicator=Indicator.INFO,
        summary="Grade 2, neither risk: symptomatic treatment; monitor heart and other organs "
        "closely",
        detail="Without extensive comorbidities or older age the paper's algorithm gives grade 2 "
        "supportive care with close monitoring of cardiac and other organ function.",
        inputs=(
            *situation.criteria_inputs(),
            *situation.risk_inputs(*tree.EARLIER_TREATMENT),
        ),
        unknown=situation.doubts(),
    )


def risk_unanswered(situation: Situation) -> RuleResult | None:
    """The questions about risk, on which the treatment of grade 2 depends."""
    if not tree.risk_unanswered(situation):
        return None
    open_ones = [
        question for question in tree.EARLIER_TREATMENT if situation.answered(question) is None
    ]
    named = " and ".join(question.label for question in open_ones)
    decided = tree.may_treat_early(situation)
    return RuleResult(
        indicator=Indicator.WARNING,
        summary=f"Please answer: {named} "
        + ("(does not change the advice)" if decided else "(decides the advice at grade 2)"),
        detail="At grade 2 the paper makes immunosuppression depend on how well the patient can "
        f"bear CRS: extensive comorbidities or older age.{_age_hint(situation, open_ones)}",
        inputs=situation.risk_inputs(*tree.EARLIER_TREATMENT),
        unknown=tuple(f"{question.label}." for question in open_ones),
    )


def _age_hint(situation: Situation, open_ones: list[RiskQuestion]) -> str:
    """A suggested yes by age; the question stays open."""
    age, hint = situation.facts.age_in_completed_years, situation.facts.policy.older_age_years
    if RiskQuestion.OLDER_AGE not in open_ones or age < hint:
        return ""
    return (
        f" Suggested for older age: yes, the patient is {age} (hint from {hint} years, a decision;"
        " the paper gives no age)."
    )


def consider(situation: Situation) -> RuleResult | None:
    """Immunosuppression may be appropriate: grade 2 with extensive comorbidities or older age."""
    if not tree.may_treat_early(situation):
        return None
    awaiting = tree.is_awaiting(situation)
    return RuleResult(
        indicator=Indicator.WARNING,
        summary="Grade 2 with a risk: "
        + (_last(situation) if awaiting else _agents(situation, "may be appropriate")),
        detail="In older patients and in those with significant comorbidities the paper holds "
        "immunosuppression at grade 2 appropriate, depending on clinical judgment. "
        f"{_doses_so_far(situation)}",
        inputs=(
            *situation.criteria_inputs(),
            *situation.risk_inputs(*tree.EARLIER_TREATMENT),
            *_treatment_inputs(situation),
        ),
        unknown=situation.doubts(),
        answers=ACTION,
    )


def indicated(situation: Situation) -> RuleResult | None:
    """Immunosuppression for every patient with grade 3 or 4."""
    if not tree.is_severe(situation):
        return None
    awaiting = tree.is_awaiting(situation)
    return RuleResult(
        indicator=Indicator.INFO if awaiting else Indicator.CRITICAL,
        summary=f"Grade {situation.grade}: "
        + (_last(situation) if awaiting else _agents(situation, "is advised for every patient")),
        detail="The paper treats every patient with grade 3 or 4 CRS with immunosuppressive "
        "agents, to prevent progression and irreversible organ dysfunction; tocilizumab first, "
        f"with or without corticosteroids{_exception(situation)}. {_doses_so_far(situation)}",
        inputs=(*situation.criteria_inputs(), *_treatment_inputs(situation)),
        unknown=situation.doubts(),
        answers=() if awaiting else ACTION,
    )


def second_agents(situation: Situation) -> RuleResult | None:
    """Agents against TNF and IL-1, after tocilizumab and corticosteroids did not suffice."""
    steroids = tuple(
        item
        for item in situation.doses_of(*tree.CORTICOSTEROIDS)
        if item.at >= situation.facts.infused_at
    )
    if tree.reassessment(situation) is None or not steroids:
        return None
    recent = tree.just_given(situation, *_SECOND_LINE)
    return RuleResult(
        indicator=Indicator.INFO,
        summary="Second line (not routine): "
        + (
            "etanercept, infliximab or anakinra" if recent is None else situation.given_text(recent)
        ),
        detail="Agents against TNF (infliximab, etanercept) and IL-1 (anakinra) could help and "
        "have been used with success; the authors do not use them routinely.",
        inputs=situation.treatment_inputs(
            (
                *situation.doses_of(TreatmentAgent.TOCILIZUMAB),
                *steroids,
                *situation.doses_of(*_SECOND_LINE),
            )
        ),
        answers=ACTION,
    )


def _treatment_inputs(situation: Situation) -> tuple[Input, ...]:
    return situation.treatment_inputs(
        situation.doses_of(TreatmentAgent.TOCILIZUMAB, *tree.CORTICOSTEROIDS)
    )


def _agents(situation: Situation, advised: str) -> str:
    """Return which agents are ``advised``, and a corticosteroid of the last 24 h by its time."""
    recent = tree.corticosteroid_just_given(situation)
    if not tree.steroids_come_first(situation):
        if recent is None:
            return f"tocilizumab, with or without corticosteroids, {advised}"
        return f"tocilizumab {advised}; {situation.given_text(recent)}"
    first = "corticosteroids may come first" if recent is None else situation.given_text(recent)
    return f"immunosuppression {advised}; {first}"


def _exception(situation: Situation) -> str:
    if not tree.steroids_come_first(situation):
        return ""
    return ", but in neurologic toxicity with stable circulation corticosteroids may come first"


def _last(situation: Situation) -> str:
    last = tree.last_tocilizumab(situation)
    return "" if last is None else f"tocilizumab {amount(last)} given {situation.clock(last.at)}"


def _doses_so_far(situation: Situation) -> str:
    """Doses of tocilizumab and corticosteroids charted so far, with their times."""
    doses = situation.doses_of(TreatmentAgent.TOCILIZUMAB, *tree.CORTICOSTEROIDS)
    if not doses:
        return "No tocilizumab and no corticosteroid is charted."
    texts = [f"{item.agent.label} {amount(item)} at {situation.clock(item.at)}" for item in doses]
    return f"Given so far: {'; '.join(texts)}."

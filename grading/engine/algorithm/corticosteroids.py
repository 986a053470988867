"""Corticosteroids: when they come first, which, how much, and for adrenal insufficiency."""

from __future__ import annotations

from decimal import Decimal

from grading.engine.algorithm import tree
from grading.engine.algorithm.evidence import (
    DEXAMETHASONE,
    DEXAMETHASONE_MOST,
    METHYLPREDNISOLONE,
)
from grading.engine.algorithm.item import ACTION, Dose, Indicator, Input, RuleResult
from grading.engine.algorithm.paper_doses import (
    dexamethasone_mg,
    methylprednisolone_mg_per_day,
)
from grading.engine.algorithm.situation import Situation, amount
from grading.engine.units import EXACT, format_number
from grading.engine.vocabulary import RiskQuestion, TreatmentAgent, term_label


def first_line(situation: Situation) -> RuleResult | None:
    """Corticosteroids before tocilizumab: grade 3 or 4, neurologic, with stable circulation."""
    if not tree.steroids_come_first(situation):
        return None
    recent = tree.corticosteroid_just_given(situation)
    advised = "consider corticosteroids first instead of tocilizumab"
    return RuleResult(
        indicator=Indicator.CRITICAL,
        summary="Neurologic toxicity, circulation stable: "
        + (advised if recent is None else situation.given_text(recent)),
        detail="In grade 3 or 4 CRS with neurologic dysfunction, without significant hemodynamic "
        "instability or another threat to life, the paper lets corticosteroids be preferred as "
        "first line: tocilizumab is not expected to cross the blood-brain barrier, and IL-6 there "
        "may rise for a time after it.",
        inputs=(
            *_neurologic_inputs(situation, at_least=2),
            *situation.treatment_inputs(situation.doses_of(*tree.CORTICOSTEROIDS)),
        ),
        unknown=situation.doubts(),
        answers=ACTION,
    )


def dexamethasone(situation: Situation) -> RuleResult | None:
    """The dose of dexamethasone, in severe neurologic symptoms."""
    if not tree.dexamethasone_in_play(situation):
        return None
    weight_kg = situation.weight_kg
    dose_mg = None if weight_kg is None else dexamethasone_mg(weight_kg)
    rule = f"{DEXAMETHASONE.value} mg/kg, at most {DEXAMETHASONE_MOST.value} mg a dose"
    return _dose_result(
        situation,
        agent=TreatmentAgent.DEXAMETHASONE,
        rule=rule,
        dose_mg=dose_mg,
        detail="For severe neurologic symptoms the paper considers dexamethasone, which "
        "penetrates the blood-brain barrier better; a difference in effect from "
        "methylprednisolone is not established. It states no interval.",
        inputs=_neurologic_inputs(situation, at_least=tree.SEVERE),
    )


def methylprednisolone(situation: Situation) -> RuleResult | None:
    """The dose of methylprednisolone, where dexamethasone is not the one."""
    if not tree.methylprednisolone_in_play(situation):
        return None
    weight_kg = situation.weight_kg
    dose_mg = None if weight_kg is None else methylprednisolone_mg_per_day(weight_kg)
    return _dose_result(
        situation,
        agent=TreatmentAgent.METHYLPREDNISOLONE,
        rule=f"{METHYLPREDNISOLONE.value} mg/kg/day, weaned over several days",
        dose_mg=dose_mg,
        per_day=True,
        detail="The paper names methylprednisolone as a commonly used initial dose, generally "
        "weaned over several days; dose and choice are to be tailored to the patient.",
    )


def _dose_result(
    situation: Situation,
    *,
    agent: TreatmentAgent,
    rule: str,
    dose_mg: Decimal | None,
    detail: str,
    per_day: bool = False,
    inputs: tuple[Input, ...] = (),
) -> RuleResult:
    """A corticosteroid's dose for the weight; none is proposed soon after another."""
    recent = tree.corticosteroid_just_given(situation)
    if recent is not None:
        outcome = f"{recent.agent.label} given at {situation.clock(recent.at)}, no dose proposed"
    elif dose_mg is None:
        outcome = "weight not charted, no dose worked out"
    else:
        outcome = f"{format_number(dose_mg)} {'mg/day' if per_day else 'mg'}"
    may_propose = recent is None and dose_mg is not None
    sum_text = _sum(situation, agent, dose_mg)
    return RuleResult(
        indicator=Indicator.INFO,
        summary=f"{agent.label} {rule}: {outcome}",
        detail=f"{detail} {sum_text if may_propose else _why_none(situation)}",
        inputs=(
            situation.weight_input(),
            *inputs,
            *situation.treatment_inputs(situation.doses_of(*tree.CORTICOSTEROIDS)),
        ),
        unknown=() if situation.weight_kg is not None else ("the weight.",),
        answers=ACTION,
        dose=Dose(agent, dose_mg, per_day) if may_propose and dose_mg is not None else None,
    )


def _sum(situation: Situation, agent: TreatmentAgent, dose_mg: Decimal | None) -> str:
    weight_kg = situation.weight_kg
    if weight_kg is None or dose_mg is None:
        return ""
    rule = DEXAMETHASONE if agent is TreatmentAgent.DEXAMETHASONE else METHYLPREDNISOLONE
    full = EXACT.multiply(rule.value, weight_kg)
    per_kg = f"{format_number(rule.value)} {rule.unit}"
    text = f"{per_kg} × {format_number(weight_kg)} kg = {format_number(full)} mg"
    if agent is TreatmentAgent.METHYLPREDNISOLONE:
        return f"{text}/day."
    return f"{text}, limited to {format_number(dose_mg)} mg." if dose_mg < full else f"{text}."


def _why_none(situation: Situation) -> str:
    recent = tree.corticosteroid_just_given(situation)
    if recent is None:
        return "No weight is charted, so no dose is worked out."
    return (
        f"{recent.agent.label} {amount(recent)} was given at {situation.clock(recent.at)}: "
        "no dose is proposed so soon after it."
    )


def _neurologic_inputs(situation: Situation, at_least: int) -> tuple[Input, ...]:
    return tuple(
        Input(item.entry_id, term_label(item.term).capitalize(), f"CTCAE {item.ctcae}")
        for item in tree.neurologic(situation, at_least)
    )


def stress_dose(situation: Situation) -> RuleResult | None:
    """Stress doses of hydrocortisone, from grade 2 on after long corticosteroids."""
    long_term = situation.answered(RiskQuestion.CHRONIC_CORTICOSTEROIDS)
    if situation.grade < 2 or long_term is not True:
        return None
    recent = tree.just_given(situation, TreatmentAgent.HYDROCORTISONE)
    advised = "adrenal insufficiency possible, consider stress-dose hydrocortisone"
    return RuleResult(
        indicator=Indicator.WARNING,
        summary="Chronic corticosteroids: "
        + (advised if recent is None else situation.given_text(recent)),
        detail="Patients who have long received corticosteroids, many of those with B-ALL, may "
        "have a relative corticosteroid deficiency; the paper says that stress doses of "
        "hydrocortisone may then be indicated and gives no amount.",
        inputs=(
            *situation.risk_inputs(RiskQuestion.CHRONIC_CORTICOSTEROIDS),
            *situation.treatment_inputs(situation.doses_of(TreatmentAgent.HYDROCORTISONE)),
        ),
        answers=ACTION,
    )

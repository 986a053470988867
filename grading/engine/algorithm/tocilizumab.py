"""Tocilizumab: the dose, the wait after it, and the reassessment at 24 h."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from grading.engine.algorithm import tree
from grading.engine.algorithm.evidence import (
    LABEL_AGE,
    LABEL_BELOW_STEP,
    LABEL_DOSES,
    LABEL_FROM_STEP,
    LABEL_INTERVAL,
    LABEL_MOST,
    LABEL_WEIGHT_STEP,
    NEAR_WEIGHT_STEP,
    PAPER_YEAR,
    REASSESS_AFTER,
    TOCILIZUMAB_ADULT,
    TOCILIZUMAB_CHILD,
    TOCILIZUMAB_OVER,
    hours,
)
from grading.engine.algorithm.item import ACTION, Dose, Indicator, Input, Reply, RuleResult
from grading.engine.algorithm.paper_doses import tocilizumab_mg, tocilizumab_per_kg
from grading.engine.algorithm.situation import Situation, amount
from grading.engine.entries import Treatment
from grading.engine.sentences import duration_text, minutes_text, whole_minutes
from grading.engine.units import EXACT, format_number
from grading.engine.vocabulary import TreatmentAgent


def dose(situation: Situation) -> RuleResult | None:
    """Return the paper's dose for the weight, with the label's dose apart from it."""
    if not tree.tocilizumab_in_play(situation):
        return None
    adult = situation.facts.is_adult
    per_kg = tocilizumab_per_kg(is_adult=adult)
    rule = f"{format_number(per_kg)} mg/kg over {TOCILIZUMAB_OVER.value} h"
    weight_kg = situation.weight_kg
    dose_mg = None if weight_kg is None else tocilizumab_mg(weight_kg, is_adult=adult)
    none_left = _doses_given(situation) >= LABEL_DOSES.value
    return RuleResult(
        indicator=Indicator.INFO,
        summary=_summary(situation, rule, dose_mg, none_left=none_left),
        detail=f"The paper typically gives {TOCILIZUMAB_ADULT.value} mg/kg to adults and "
        f"{TOCILIZUMAB_CHILD.value} mg/kg to children over {TOCILIZUMAB_OVER.value} h, with an "
        f"option to repeat. {_sum(per_kg, weight_kg)} The paper is of {PAPER_YEAR}.",
        other_source=label_text(situation),
        inputs=(situation.weight_input(), *_dose_inputs(situation)),
        unknown=() if weight_kg is not None else ("the weight.",),
        answers=ACTION,
        dose=None
        if dose_mg is None or none_left
        else Dose(TreatmentAgent.TOCILIZUMAB, dose_mg, label_mg=_label_mg(situation)),
    )


def _summary(situation: Situation, rule: str, dose_mg: Decimal | None, *, none_left: bool) -> str:
    if none_left:
        return (
            f"Tocilizumab: {_doses_given(situation)} doses given, none left by the current US label"
        )
    who = "adult" if situation.facts.is_adult else "child"
    if dose_mg is None or situation.weight_kg is None:
        return f"Tocilizumab {rule} ({who}): weight not charted, no dose worked out"
    per_kg = rule.partition(" over ")[0]
    paper = f"Tocilizumab {per_kg} (Lee 2014): {format_number(dose_mg)} mg"
    label_mg = _label_mg(situation)
    if label_mg is None:
        return f"{paper}; the US label has no dose at this age"
    label_per_kg = format_number(_label_per_kg(situation.weight_kg))
    return f"{paper}; {label_per_kg} mg/kg (US label now): {format_number(label_mg)} mg"


def _sum(per_kg: Decimal, weight_kg: Decimal | None) -> str:
    if weight_kg is None:
        return "No weight is charted, so no dose is worked out."
    product = EXACT.multiply(per_kg, weight_kg)
    weight = format_number(weight_kg)
    return f"{format_number(per_kg)} mg/kg × {weight} kg = {format_number(product)} mg."


def _doses_given(situation: Situation) -> int:
    return len(_of_this_course(situation))


def _of_this_course(situation: Situation) -> tuple[Treatment, ...]:
    """Return the doses since the infusion; earlier ones were not for this CRS."""
    return tuple(
        item
        for item in situation.doses_of(TreatmentAgent.TOCILIZUMAB)
        if item.at >= situation.facts.infused_at
    )


def _dose_inputs(situation: Situation) -> tuple[Input, ...]:
    return situation.treatment_inputs(situation.doses_of(TreatmentAgent.TOCILIZUMAB))


def label_dose_mg(weight_kg: Decimal) -> Decimal:
    """Return the dose of the current US label in mg, not from the paper."""
    return min(EXACT.multiply(_label_per_kg(weight_kg), weight_kg), LABEL_MOST.value)


def _label_mg(situation: Situation) -> Decimal | None:
    """Return the label's dose for this patient; None without a weight and below its age."""
    if situation.weight_kg is None or _below_label_age(situation):
        return None
    return label_dose_mg(situation.weight_kg)


def _label_per_kg(weight_kg: Decimal) -> Decimal:
    below = weight_kg < LABEL_WEIGHT_STEP.value
    return (LABEL_BELOW_STEP if below else LABEL_FROM_STEP).value


def label_text(situation: Situation) -> str:
    """Return the label's dose and its limits, marked as not from the paper."""
    source = (
        "Not from the paper: current US label (severe or life-threatening CRS after CAR T cells, "
        f"age {LABEL_AGE.value} years and over):"
    )
    if _below_label_age(situation):
        return f"{source} it gives no dose at this age."
    further = format_number(LABEL_DOSES.value - 1)
    limits = (
        f"At most {LABEL_MOST.value} mg a dose; up to {further} further doses, at least "
        f"{LABEL_INTERVAL.value} h apart."
    )
    return f"{source} {_label_sum(situation.weight_kg)} {limits} {_label_next(situation)}"


def _below_label_age(situation: Situation) -> bool:
    return situation.facts.age_in_completed_years < LABEL_AGE.value


def _label_sum(weight_kg: Decimal | None) -> str:
    step = LABEL_WEIGHT_STEP.value
    rule = f"from {step} kg {LABEL_FROM_STEP.value} mg/kg, below it {LABEL_BELOW_STEP.value} mg/kg"
    if weight_kg is None:
        return f"{rule}."
    text = _sum(_label_per_kg(weight_kg), weight_kg)
    dose_mg = label_dose_mg(weight_kg)
    if dose_mg < EXACT.multiply(_label_per_kg(weight_kg), weight_kg):
        text = f"{text.removesuffix('.')}, limited to {format_number(dose_mg)} mg."
    if abs(weight_kg - step) <= NEAR_WEIGHT_STEP.value:
        text += f" The dose changes at {step} kg ({rule}): check the weight."
    return text


def _label_next(situation: Situation) -> str:
    """Doses charted since the infusion, and when the label allows the next after any dose."""
    last, doses = tree.last_tocilizumab(situation), _of_this_course(situation)
    if last is None:
        return "No dose is charted so far."
    listed = "; ".join(f"{amount(item)} at {situation.clock(item.at)}" for item in doses)
    so_far = f"Given since the infusion: {len(doses)}{f' ({listed})' if doses else ''}."
    if len(doses) >= LABEL_DOSES.value:
        return f"{so_far} None left by the label."
    earliest = last.at + hours(LABEL_INTERVAL)
    if earliest <= situation.now:
        return f"{so_far} The label's {LABEL_INTERVAL.value} h have passed."
    return f"{so_far} Next by the label not before {situation.clock(earliest)}."


def _label_with_dose(situation: Situation) -> str:
    if _below_label_age(situation):
        return ""
    return f"Not from the paper: current US label. {_label_next(situation)}"


def awaiting(situation: Situation) -> RuleResult | None:
    """The wait of 24 h after a dose, until it is reassessed."""
    last = tree.last_tocilizumab(situation)
    if last is None or not tree.is_awaiting(situation):
        return None
    due = last.at + hours(REASSESS_AFTER)
    return RuleResult(
        indicator=Indicator.INFO,
        summary=f"Tocilizumab given at {situation.clock(last.at)}: reassess at "
        f"{situation.clock(due)}, in {_left(due, situation)}",
        detail=f"{amount(last)[:1].upper()}{amount(last)[1:]} given. Fever and hypotension often "
        "resolve within a few hours of a response; if the patient has not improved or stabilized "
        f"{REASSESS_AFTER.value} h after the dose, more is considered then. IL-6 may rise for a "
        "time after the dose, because its receptor is blocked.",
        other_source=_label_with_dose(situation),
        inputs=_dose_inputs(situation),
    )


def _left(due: datetime, situation: Situation) -> str:
    return minutes_text(int(whole_minutes(due - situation.now)))


def _since(found: tree.Reassessment, situation: Situation) -> str:
    return duration_text(situation.now - found.dose.at)


def reassess(situation: Situation) -> RuleResult | None:
    """A further dose or agent, where 24 h after a dose the patient is not better."""
    found = tree.reassessment(situation)
    if found is None:
        return None
    then = f"grade {found.grade_then}"
    change = "worse" if found.is_worse else "not better"
    is_third_or_later = _doses_given(situation) > 1
    which = "further" if is_third_or_later else "second"
    recent = tree.corticosteroid_just_given(situation)
    steroids = "and/or corticosteroids" if recent is None else situation.given_text(recent)
    return RuleResult(
        indicator=Indicator.CRITICAL if found.is_worse else Indicator.WARNING,
        summary=f"{change.capitalize()} {_since(found, situation)} after tocilizumab "
        f"({then}, now {situation.grade}): consider a {which} dose"
        f"{';' if recent else ''} {steroids}",
        detail=f"At the dose {then}, now grade {situation.grade}."
        f"{'' if found.is_worse else ' Has the patient improved or stabilised?'} "
        "Without improvement or "
        f"stabilization within {REASSESS_AFTER.value} h the paper considers a second dose of "
        "tocilizumab and/or a second immunosuppressive agent such as corticosteroids."
        + (" It does not mention a third dose." if is_third_or_later else ""),
        other_source=_label_with_dose(situation),
        inputs=(
            *situation.criteria_inputs(),
            *_dose_inputs(situation),
            *situation.treatment_inputs(situation.doses_of(*tree.CORTICOSTEROIDS)),
        ),
        unknown=situation.doubts(),
        answers=(*ACTION, Reply.STABILISED),
    )

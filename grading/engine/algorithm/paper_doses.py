"""The paper's doses for a weight, whether or not the algorithm advises them now."""

from __future__ import annotations

from decimal import Decimal

from grading.engine.algorithm.evidence import (
    DEXAMETHASONE,
    DEXAMETHASONE_MOST,
    METHYLPREDNISOLONE,
    TOCILIZUMAB_ADULT,
    TOCILIZUMAB_CHILD,
)
from grading.engine.algorithm.item import Dose
from grading.engine.units import EXACT
from grading.engine.vocabulary import TreatmentAgent


def paper_dose(agent: TreatmentAgent, weight_kg: Decimal, *, is_adult: bool) -> Dose | None:
    """Return the paper's dose of an agent, None of an agent of which it names no amount."""
    match agent:
        case TreatmentAgent.TOCILIZUMAB:
            return Dose(agent, tocilizumab_mg(weight_kg, is_adult=is_adult))
        case TreatmentAgent.DEXAMETHASONE:
            return Dose(agent, dexamethasone_mg(weight_kg))
        case TreatmentAgent.METHYLPREDNISOLONE:
            return Dose(agent, methylprednisolone_mg_per_day(weight_kg), per_day=True)
    return None


def tocilizumab_per_kg(*, is_adult: bool) -> Decimal:
    """Return the paper's dose in mg/kg."""
    return (TOCILIZUMAB_ADULT if is_adult else TOCILIZUMAB_CHILD).value


def tocilizumab_mg(weight_kg: Decimal, *, is_adult: bool) -> Decimal:
    """Return the paper's dose in mg for a weight in kg."""
    return EXACT.multiply(tocilizumab_per_kg(is_adult=is_adult), weight_kg)


def dexamethasone_mg(weight_kg: Decimal) -> Decimal:
    """Return the paper's dose in mg for a weight in kg, at most the paper's limit."""
    return min(EXACT.multiply(DEXAMETHASONE.value, weight_kg), DEXAMETHASONE_MOST.value)


def methylprednisolone_mg_per_day(weight_kg: Decimal) -> Decimal:
    """Return the paper's amount of a day in mg for a weight in kg."""
    return EXACT.multiply(METHYLPREDNISOLONE.value, weight_kg)

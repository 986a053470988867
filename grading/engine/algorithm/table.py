"""The algorithm's items, in the order of its table: code, what kind of concern, basis, rule."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Final, NamedTuple

from grading.engine.algorithm import (
    corticosteroids,
    immunosuppression,
    missing_data,
    support,
    tocilizumab,
)
from grading.engine.algorithm import evidence as places
from grading.engine.algorithm.item import RuleResult
from grading.engine.algorithm.situation import Situation
from grading.engine.evidence import Citation

Rule = Callable[[Situation], RuleResult | None]


class Concern(IntEnum):
    """Order of items with the same indicator, lowest first."""

    TREAT = 0
    KNOW = 1
    SUPPORT = 2


class Row(NamedTuple):
    """One line of the table. Its rule applies from grade 1, with ``at_grade_0`` also at grade 0."""

    code: str
    concern: Concern
    citations: tuple[Citation, ...]
    rule: Rule
    at_grade_0: bool = False


STALE: Final = "evidence.stale"
REASSESS: Final = "tocilizumab.reassess"

ITEMS: Final = (
    Row(
        "support.vigilant", Concern.SUPPORT, (places.FIGURE_2,), support.vigilant
    ),
    Row(
        "infection.workup", Concern.SUPPORT, (places.TEXT_INFECTION,), support.infection_workup
    ),
    Row(
        "bound.resolve", Concern.KNOW,
        (places.AT_MOST,), missing_data.bound_to_resolve, at_grade_0=True,
    ),
    Row(STALE, Concern.KNOW, (places.STALE,), missing_data.stale_evidence, at_grade_0=True),
    Row(
        "immunosuppression.not_advised", Concern.TREAT,
        (places.TEXT_GRADES_1_AND_2, places.FIGURE_2), immunosuppression.not_advised,
    ),
    Row(
        "risk.unanswered", Concern.KNOW,
        (places.TEXT_GRADES_1_AND_2, places.FIGURE_2), immunosuppression.risk_unanswered,
    ),
    Row(
        "immunosuppression.consider", Concern.TREAT,
        (places.TEXT_GRADES_1_AND_2, places.FIGURE_2), immunosuppression.consider,
    ),
    Row(
        "immunosuppression.indicated", Concern.TREAT,
        (places.TEXT_GRADES_3_AND_4, places.FIGURE_2), immunosuppression.indicated,
    ),
    Row(
        "tocilizumab.dose", Concern.TREAT, (places.TEXT_DOSE, places.LABEL_DOSE), tocilizumab.dose
    ),
    Row(
        "corticosteroid.first_line", Concern.TREAT,
        (places.TEXT_NEUROLOGIC,), corticosteroids.first_line,
    ),
    Row(
        "dexamethasone.dose", Concern.TREAT,
        (places.TEXT_CORTICOSTEROIDS,), corticosteroids.dexamethasone,
    ),
    Row(
        "methylprednisolone.dose", Concern.TREAT,
        (places.TEXT_CORTICOSTEROIDS,), corticosteroids.methylprednisolone,
    ),
    Row(
        "icu.one_to_one", Concern.SUPPORT, (places.TEXT_GRADES_3_AND_4,), support.intensive_care
    ),
    Row("cardiac.echo", Concern.SUPPORT, (places.TEXT_CARDIAC,), support.cardiac),
    Row(
        "tocilizumab.awaiting", Concern.TREAT,
        (places.TEXT_RESPONSE, places.TEXT_IL6, places.LABEL_DOSE), tocilizumab.awaiting,
    ),
    Row(
        REASSESS, Concern.TREAT, (places.TEXT_RESPONSE, places.LABEL_DOSE), tocilizumab.reassess
    ),
    Row(
        "hydrocortisone.stress", Concern.TREAT,
        (places.TEXT_ADRENAL,), corticosteroids.stress_dose,
    ),
    Row(
        "second_agents.not_routine", Concern.TREAT,
        (places.TEXT_OTHER_AGENTS,), immunosuppression.second_agents,
    ),
    Row(
        "support.wean", Concern.SUPPORT,
        (places.TEXT_RESPONSE, places.TEXT_CORTICOSTEROIDS), support.wean,
    ),
    Row(
        "crp.monitor", Concern.SUPPORT, (places.TEXT_CRP, places.CRP_MASKED), support.crp_monitor
    ),
    Row(
        "other_cause.treat", Concern.TREAT,
        (places.TEXT_ATTRIBUTION,), support.other_cause, at_grade_0=True,
    ),
    Row(
        "baseline_pressure.missing", Concern.KNOW,
        (places.TEXT_BASELINE_PRESSURE,), missing_data.baseline_pressure_missing, at_grade_0=True,
    ),
    Row(
        "weight.missing", Concern.KNOW,
        (places.WEIGHT,), missing_data.weight_missing, at_grade_0=True,
    ),
    Row(
        "paediatric.dose_limits", Concern.KNOW,
        (places.TABLE_3, places.SMALL_PATIENT), missing_data.limits_of_small_patient,
    ),
)  # fmt: skip

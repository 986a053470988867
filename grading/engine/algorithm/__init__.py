"""Figure 2 of Lee et al. 2014 and the rules of its text: guidance for a status.

Each item is text with its basis and what it used, never an order; the clinician answers it.
"""

from __future__ import annotations

from typing import Final

from grading.engine.algorithm.item import Dose, Indicator, Input, Item, Reply, RuleResult
from grading.engine.algorithm.situation import GradeInterval, RiskAnswer, Situation
from grading.engine.algorithm.table import ITEMS, REASSESS, STALE, Row
from grading.engine.algorithm.toxicities import CountedToxicity, counted_toxicities
from grading.engine.algorithm.tree import SEVERE
from grading.engine.grading_system import DEATH_GRADE

__all__ = [
    "ITEMS",
    "REASSESS",
    "STALE",
    "CountedToxicity",
    "Dose",
    "GradeInterval",
    "Indicator",
    "Input",
    "Item",
    "Reply",
    "RiskAnswer",
    "RuleResult",
    "Situation",
    "advise",
    "counted_toxicities",
]

_URGENCY: Final = list(Indicator)


def advise(situation: Situation) -> tuple[Item, ...]:
    """Apply every rule to ``situation``; the most urgent item first, none after a death."""
    if situation.grade == DEATH_GRADE:
        return ()
    results = [
        (row, what)
        for row in ITEMS
        if (situation.grade > 0 or row.at_grade_0) and (what := row.rule(situation)) is not None
    ]
    results.sort(key=lambda pair: _place(pair[0], pair[1], situation.grade))
    return tuple(Item(row.code, row.citations, what) for row, what in results)


def _place(row: Row, result: RuleResult, grade: int) -> tuple[bool, int, int]:
    """Sort key of an item; items with equal keys keep the order of the table.

    Stale evidence of a grade of 3 or more comes before everything else.
    """
    asked_first = row.code == STALE and grade >= SEVERE
    return (not asked_first, _URGENCY.index(result.indicator), row.concern)

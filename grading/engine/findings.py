"""What the parts of a chart say, in words: criteria that are met and what is not known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from grading.engine.assessment import Assessed, Explained
from grading.engine.periods import Criterion, Unknown
from grading.engine.systems.lee_2014 import ORDER, RULES


class Findings(NamedTuple):
    """The criteria met and what is unknown."""

    criteria: tuple[Criterion, ...]
    unknown: tuple[Unknown, ...]


_NOTHING_FOUND: Final = Findings((), ())


def worded(
    says: Assessed, explain: Callable[[str], Explained], grades: Mapping[str, int]
) -> Findings:
    """What one part ``says``, with the grade of each criterion, evidence and words."""
    met, not_known = says
    if not met and not not_known:
        return _NOTHING_FOUND
    criteria, unknown = [], []
    for code in met:
        evidence, text, uncertain = explain(code)
        citation = RULES[code].citation
        criteria.append(Criterion(code, grades[code], citation, evidence, text, uncertain))
    for code, reach in not_known:
        evidence, text, _ = explain(code)
        unknown.append(Unknown(code, reach, text, evidence))
    return Findings(tuple(criteria), tuple(unknown))


def together(parts: Iterable[Findings]) -> Findings:
    """The findings of all ``parts``: highest grade, or reach, first."""
    criteria: list[Criterion] = []
    unknown: list[Unknown] = []
    for met, not_known in parts:
        criteria += met
        unknown += not_known
    criteria.sort(key=lambda item: (-item.grade, ORDER[item.code]))
    unknown.sort(key=lambda item: (-item.could_reach, item.code))
    return Findings(tuple(criteria), tuple(unknown))

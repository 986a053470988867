"""A grading system as a value: key, version, and one rule for each criterion of its table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from grading.engine.evidence import Citation
from grading.engine.policy import Policy

Assessed = tuple[tuple[str, ...], tuple[tuple[str, int], ...]]
"""The codes of the criteria met, and each unknown's code with the grade it could reach.

Compared after every entry, so it holds nothing else; evidence and parameters are computed where a
finding is read.
"""

NOTHING_MET: Final[Assessed] = ((), ())

DEATH: Final = "death"
"""The code of the criterion that a death meets; every system has a rule for it."""
DEATH_GRADE: Final = 5
"""The grade of a death due to CRS, in every system and scale."""


class Rule(NamedTuple):
    """One line of a table.

    ``grade_from_policy`` names the decision where the source is silent.
    """

    code: str
    grade: int
    citation: Citation
    grade_from_policy: str = ""

    def grade_under(self, policy: Policy) -> int:
        return (
            int(getattr(policy, self.grade_from_policy)) if self.grade_from_policy else self.grade
        )


class PartAssessor(NamedTuple):
    """How a system reads one part of a chart: its codes, and later the words of each.

    ``assess`` takes the part (and for the circulation the instant); ``explain`` takes it as well
    and returns what explains a code, frozen at that instant.
    """

    assess: Callable[..., Assessed]
    explain: Callable[..., Callable[[str], Any]]


@dataclass(frozen=True)
class GradingSystem:
    """One published grading table.

    ``key`` and ``version`` are stored with every period and checkpoint that the system graded;
    ``name`` is for readers. ``table`` holds the rules in the order in which criteria of equal grade
    are listed, and the four assessors read the parts of a chart. Raises
    ValueError where a code has two rules or death has none.
    """

    key: str
    version: str
    name: str
    table: tuple[Rule, ...]
    constitutional: PartAssessor
    oxygen: PartAssessor
    circulation: PartAssessor
    organs: PartAssessor
    rules: Mapping[str, Rule] = field(init=False, repr=False, compare=False)
    order: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rules = {rule.code: rule for rule in self.table}
        if len(rules) != len(self.table) or DEATH not in rules:
            raise ValueError("a grading system has one rule for each code, and one for death")
        object.__setattr__(self, "rules", rules)
        object.__setattr__(self, "order", {code: place for place, code in enumerate(rules)})

    def grades_under(self, policy: Policy) -> dict[str, int]:
        """Return the grade of every criterion under ``policy``, by its code."""
        return {rule.code: rule.grade_under(policy) for rule in self.table}

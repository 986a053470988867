"""Periods of one grade, and the criteria and unknowns that explain them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from grading.engine.evidence import Citation
from grading.engine.grading_system import GradingSystem
from grading.engine.sentences import Params


class Explained(NamedTuple):
    """What a finding rests on: ids of entries, the parameters of its sentence, its attribution."""

    evidence: tuple[str, ...]
    params: Params
    uncertain: bool = False


Explain = Callable[[str], Explained]
"""Explains a code as of the instant at which the explainer was made."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """A criterion that is met: its line in the paper, the ids of its entries, and its sentence.

    ``explanation`` is rendered from ``params``, which take no part in comparisons.
    """

    code: str
    grade: int
    citation: Citation
    evidence: tuple[str, ...]
    explanation: str
    uncertain: bool = False
    params: Params = field(default_factory=dict, compare=False, repr=False)

    def as_json(self) -> dict[str, Any]:
        words = {
            "code": self.code,
            "grade": self.grade,
            "status": "met",
            "citation": str(self.citation),
            "evidence": list(self.evidence),
            "explanation": self.explanation,
            "params": self.params,
        }
        if self.uncertain:
            words["attribution"] = "uncertain"
        return words


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something not known, the grade that knowing it could reach, and its sentence.

    ``why`` is rendered from ``params``, which take no part in comparisons.
    """

    code: str
    could_reach: int
    why: str
    evidence: tuple[str, ...] = ()
    params: Params = field(default_factory=dict, compare=False, repr=False)

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "could_reach": self.could_reach,
            "why": self.why,
            "params": self.params,
        }


def results_last(unknown: Iterable[Unknown]) -> list[Unknown]:
    """Sort what is unknown for a reader: the highest reach first.

    Of equal reach, laboratory results come last: their limits wait for a report, while the rest is
    answered at the bedside.
    """
    return sorted(unknown, key=lambda one: (-one.could_reach, one.code.startswith("lab.")))


class InWords(NamedTuple):
    """The criteria met and what is unknown."""

    criteria: tuple[Criterion, ...]
    unknown: tuple[Unknown, ...]


class Findings(ABC):
    """Criteria and unknowns at an instant, put in words when first read.

    Grades do not need the words, which matter only where a period is shown or stored. They never
    change; findings are equal where their words are equal.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def in_words(self) -> InWords: ...

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Findings) and self.in_words == other.in_words

    def __hash__(self) -> int:
        return hash(self.in_words)

    def __repr__(self) -> str:
        return repr(self.in_words)


class Opening(NamedTuple):
    """The start of a period; ``grade`` None is the end of grading (a death not due to CRS).

    ``policy`` is which of the course's policies grades it: 0 the first, n the n-th later one.
    ``by_policy_alone``: neither grade, bound nor codes differ from the period before.
    """

    at: datetime
    grade: int | None
    at_most: int | None
    found: Findings
    policy: int = 0
    by_policy_alone: bool = False


class Period(NamedTuple):
    """Half-open [``start``, ``end``); ``end`` None is for ever. ``policy`` is as in Opening.

    ``system`` and ``version`` are the key and version of the grading system.
    """

    start: datetime
    end: datetime | None
    grade: int
    at_most: int
    found: Findings
    policy: int
    system: str
    version: str

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        return self.found.in_words.criteria

    @property
    def unknown(self) -> tuple[Unknown, ...]:
        return self.found.in_words.unknown

    def findings_json(self) -> dict[str, Any]:
        """Criteria and unknowns as JSON, for a course result and for a stored period."""
        return {
            "criteria": [criterion.as_json() for criterion in self.criteria],
            "unknown": [unknown.as_json() for unknown in self.unknown],
        }


def tile(openings: list[Opening], system: GradingSystem) -> list[Period]:
    """The periods of ``system`` that ``openings`` begin, each ending where the next begins."""
    periods = []
    for place, opening in enumerate(openings):
        if opening.grade is None or opening.at_most is None:
            break
        end = openings[place + 1].at if place + 1 < len(openings) else None
        periods.append(
            Period(
                opening.at,
                end,
                opening.grade,
                opening.at_most,
                opening.found,
                opening.policy,
                system.key,
                system.version,
            )
        )
    return periods

"""Findings of the parts of a chart: criteria met and unknowns, put in words when first read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from grading.engine.entries import Death
from grading.engine.grading_system import DEATH, NOTHING_MET, Assessed, GradingSystem
from grading.engine.periods import Criterion, Explain, Findings, InWords, Unknown
from grading.engine.sentences import render
from grading.engine.vocabulary import Attribution


class WordedFindings(Findings):
    """Findings that are in words already."""

    __slots__ = ("_words",)

    def __init__(self, *criteria: Criterion) -> None:
        self._words = InWords(criteria, ())

    @property
    def in_words(self) -> InWords:
        return self._words


class _PartFindings(Findings):
    """Findings of one part, put in words when first read."""

    __slots__ = ("_assessed", "_explain", "_grades", "_system", "_words")

    def __init__(
        self, assessed: Assessed, explain: Explain, system: GradingSystem, grades: Mapping[str, int]
    ) -> None:
        self._assessed = assessed
        self._explain = explain
        self._system = system
        self._grades = grades
        self._words: InWords | None = None

    @property
    def in_words(self) -> InWords:
        if self._words is None:
            met, unknown = self._assessed
            self._words = InWords(
                tuple([self._criterion(code) for code in met]),
                tuple([self._unknown(code, reach) for code, reach in unknown]),
            )
        return self._words

    def _criterion(self, code: str) -> Criterion:
        evidence, params, uncertain = self._explain(code)
        grade, citation = self._grades[code], self._system.rules[code].citation
        sentence = render(code, params)
        return Criterion(code, grade, citation, evidence, sentence, uncertain, params)

    def _unknown(self, code: str, reach: int) -> Unknown:
        evidence, params, _ = self._explain(code)
        return Unknown(code, reach, render(code, params), evidence, params)


class CombinedFindings(Findings):
    """The findings of all parts: highest grade, or reach, first."""

    __slots__ = ("_order", "_parts", "_words")

    def __init__(self, system: GradingSystem, parts: tuple[Findings, ...]) -> None:
        self._order, self._parts = system.order, parts
        self._words: InWords | None = None

    @property
    def in_words(self) -> InWords:
        if self._words is None:
            criteria: list[Criterion] = []
            unknown: list[Unknown] = []
            for part in self._parts:
                met, not_known = part.in_words
                criteria += met
                unknown += not_known
            criteria.sort(key=lambda item: (-item.grade, self._order[item.code]))
            unknown.sort(key=lambda item: (-item.could_reach, item.code))
            self._words = InWords(tuple(criteria), tuple(unknown))
        return self._words


NOTHING_FOUND: Final = WordedFindings()


def _find(
    assessed: Assessed,
    system: GradingSystem,
    grades: Mapping[str, int],
    explain: Callable[..., Explain],
    *part: Any,
) -> Findings:
    """Findings for one part's ``assessed`` codes; ``explain`` of ``part`` freezes their words."""
    if assessed == NOTHING_MET:
        return NOTHING_FOUND
    return _PartFindings(assessed, explain(*part), system, grades)


def part_findings(
    system: GradingSystem,
    grades: Mapping[str, int],
    parts: Sequence[Any],
    assessed: Sequence[Assessed],
    kept: Sequence[Findings | None],
    at: datetime,
) -> tuple[Findings, ...]:
    """Return the findings of each part: those ``kept``, and new ones where None is kept.

    Parts come in the order of the system's assessors. The circulation's words name durations, so
    that it is explained again each time, as of ``at``.
    """
    symptoms, oxygen, circulation, organs = parts
    return (
        kept[0] or _find(assessed[0], system, grades, system.constitutional.explain, symptoms),
        kept[1] or _find(assessed[1], system, grades, system.oxygen.explain, oxygen),
        _find(assessed[2], system, grades, system.circulation.explain, circulation, at),
        kept[3] or _find(assessed[3], system, grades, system.organs.explain, organs),
    )


def death_found(death: Death, system: GradingSystem) -> Findings:
    """Return the criterion of a death due, or perhaps due, to CRS; nothing for another death."""
    if death.attribution is Attribution.OTHER:
        return NOTHING_FOUND
    uncertain = death.attribution is Attribution.UNCERTAIN
    params = {"attribution": str(death.attribution)}
    _, grade, citation, _ = system.rules[DEATH]
    sentence = render(DEATH, params)
    criterion = Criterion(DEATH, grade, citation, (death.id,), sentence, uncertain, params)
    return WordedFindings(criterion)

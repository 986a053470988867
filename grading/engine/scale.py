"""A grading scale as a value: the rules of one published table, and what they leave open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from grading.engine.chart import Chart
from grading.engine.entries import Death
from grading.engine.evidence import Citation
from grading.engine.grading_system import DEATH, DEATH_GRADE
from grading.engine.periods import Criterion, Explained, Unknown
from grading.engine.scale_sentences import render_finding
from grading.engine.scale_vocabulary import DeathCause


class Axis(StrEnum):
    """What a criterion is about, so that two scales can be compared on the same thing."""

    FEVER = "fever"
    CONSTITUTIONAL = "constitutional"
    HYPOTENSION = "hypotension"
    VASOPRESSOR = "vasopressor"
    OXYGEN = "oxygen"
    ORGAN = "organ"
    NEURO = "neuro"
    SETTING = "setting"
    JUDGEMENT = "judgement"
    DEATH = "death"


class Finding(NamedTuple):
    """What a criterion or an unknown rests on, and the name of the sentence that says it."""

    sentence: str
    explained: Explained


Words = str | Callable[[Chart], str]


def phrase_in(words: Words, chart: Chart) -> str:
    """Return a part of a sentence, which may depend on the chart."""
    return words if isinstance(words, str) else words(chart)


class Rule(NamedTuple):
    """One line of a published table.

    ``grade`` is a number, the name of the policy parameter that decides it, or a function of the
    chart where one line has several. ``phrase`` is its part of the sentence why scales differ.
    ``beside_others``: it is met only with another criterion, which does not ask for others itself.
    """

    code: str
    axis: Axis | Callable[[Chart], Axis]
    grade: int | str | Callable[[Chart], int]
    met: Callable[[Chart], bool]
    shown: Callable[[Chart], Finding]
    citation: Citation
    phrase: Words
    beside_others: bool = False

    def grade_in(self, chart: Chart) -> int:
        if isinstance(self.grade, int):
            return self.grade
        if isinstance(self.grade, str):
            return int(getattr(chart.policy, self.grade))
        return self.grade(chart)

    def axis_in(self, chart: Chart) -> Axis:
        return self.axis if isinstance(self.axis, Axis) else self.axis(chart)

    def phrase_in(self, chart: Chart) -> str:
        return phrase_in(self.phrase, chart)


class Met(NamedTuple):
    """The criteria met so far, as a doubt may ask: ``grade`` of them all, ``others`` whether any.

    Criteria that ask for others themselves are no others.
    """

    grade: int
    others: bool


class Doubt(NamedTuple):
    """Something not known: ``reach`` is the grade it could reach, 0 where nothing is unknown."""

    code: str
    reach: Callable[[Chart, Met], int]
    shown: Callable[[Chart], Finding]


Doubts = Callable[[Chart], tuple[Doubt, ...]]
"""Doubts of which there are as many as the chart has, like results that cannot be graded."""


class Gate(NamedTuple):
    """Whether the criteria but ``code`` count, and why.

    ``could_open``: whether, where it is closed, it may in truth be open. ``waived_by`` is the
    treatment after which a fever is no longer asked for.
    """

    is_open: bool
    could_open: bool = False
    waived_by: Explained | None = None


class GateRule(NamedTuple):
    """A finding without which a scale withholds all others; while it is met, the gate is open."""

    code: str
    read: Callable[[Chart], Gate]
    shown: Callable[[Chart], Finding]
    phrase: Words


class Assessment(NamedTuple):
    """What a scale makes of a chart: codes with grades, unknown codes with their reach.

    ``grade`` and ``at_most`` None: nothing is graded. Compared after every entry.
    """

    grade: int | None
    at_most: int | None
    met: tuple[tuple[str, int], ...] = ()
    unknown: tuple[tuple[str, int], ...] = ()
    withheld: tuple[tuple[str, int], ...] = ()


ENDED: Final = Assessment(None, None)
DIED: Final = Assessment(DEATH_GRADE, DEATH_GRADE, ((DEATH, DEATH_GRADE),))


@dataclass(frozen=True)
class Scale:
    """One published scale.

    ``rules`` in the order in which criteria of equal grade are listed. ``silence`` says for each
    axis without a rule why the scale has nothing on it. ``parameters`` are the policy's own for
    this scale. ``unverified`` says in words what was not found in the source. ``dies_of`` is the
    cause of death that is its grade 5, None where the attribution of the death decides. Raises
    ValueError where a code has two rules.
    """

    key: str
    title: str
    short: str
    sources: tuple[str, ...]
    rules: tuple[Rule, ...]
    silence: Mapping[Axis, str]
    doubts: tuple[Doubt, ...] = ()
    more_doubts: Doubts | None = None
    gate: GateRule | None = None
    parameters: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    dies_of: DeathCause | None = DeathCause.CRS
    death_citation: Citation = field(default=Citation("decision", "death ends every scale"))
    by_code: Mapping[str, Rule] = field(init=False, repr=False, compare=False)
    order: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_code = {rule.code: rule for rule in self.rules}
        if len(by_code) != len(self.rules) or DEATH in by_code:
            raise ValueError("a scale has one rule for each code, and says of a death what causes")
        object.__setattr__(self, "by_code", by_code)
        order = {code: place for place, code in enumerate((*by_code, DEATH))}
        object.__setattr__(self, "order", order)

    def assess(self, chart: Chart) -> Assessment:
        """Return grade, bound and codes of this scale at the chart's instant."""
        if chart.death is not None:
            return DIED if self._dies_of(chart.death) else ENDED
        met = [
            (rule.code, rule.grade_in(chart))
            for rule in self.rules
            if not rule.beside_others and rule.met(chart)
        ]
        others = any(grade > 0 for _, grade in met)
        waiting = [
            (rule.code, rule.grade_in(chart))
            for rule in self.rules
            if rule.beside_others and rule.met(chart)
        ]
        if others:
            met += waiting
        found = tuple([(code, grade) for code, grade in met if grade > 0])
        grade = max([grade for _, grade in found], default=0)
        reach_of_waiting = 0 if others else max([reach for _, reach in waiting], default=0)
        unknown = self._unknown(chart, Met(grade, others), reach_of_waiting)
        if self.gate is not None:
            return self._through_gate(self.gate, chart, found, unknown)
        return _assessment(found, unknown)

    def _dies_of(self, death: Death) -> bool:
        return death.counts if self.dies_of is None else self.dies_of in death.causes

    def _unknown(
        self, chart: Chart, met: Met, reach_of_waiting: int
    ) -> tuple[tuple[str, int], ...]:
        """Return what is unknown; its answer may be the criterion that others wait for."""
        unknown = [
            (doubt.code, max(reach, reach_of_waiting))
            for doubt in self.doubts_in(chart)
            if (reach := doubt.reach(chart, met))
        ]
        return tuple(sorted(unknown))

    def doubts_in(self, chart: Chart) -> tuple[Doubt, ...]:
        """Return everything that may be unknown in ``chart``."""
        more = self.more_doubts
        return self.doubts if more is None else (*self.doubts, *more(chart))

    def _through_gate(
        self,
        gate: GateRule,
        chart: Chart,
        found: tuple[tuple[str, int], ...],
        unknown: tuple[tuple[str, int], ...],
    ) -> Assessment:
        state = gate.read(chart)
        if state.is_open or not found:
            return _assessment(found, unknown if state.is_open else ())
        doubt: tuple[tuple[str, int], ...] = ()
        if state.could_open:
            doubt = ((gate.code, max([reach for _, reach in (*found, *unknown)])),)
        return _assessment((), doubt)._replace(withheld=found)

    def criteria(self, chart: Chart, codes: tuple[tuple[str, int], ...]) -> tuple[Criterion, ...]:
        """Return criteria in words, highest grade first."""
        order = self.order
        ordered = sorted(codes, key=lambda item: (-item[1], order[item[0]]))
        return tuple([self._criterion(chart, code, grade) for code, grade in ordered])

    def _criterion(self, chart: Chart, code: str, grade: int) -> Criterion:
        if code == DEATH:
            return self._death(chart)
        rule = self.by_code[code]
        sentence, (evidence, params, uncertain) = rule.shown(chart)
        words = render_finding(sentence, params)
        return Criterion(code, grade, rule.citation, evidence, words, uncertain, params)

    def _death(self, chart: Chart) -> Criterion:
        death = chart.death
        if death is None:
            raise ValueError("no death is charted")
        params: dict[str, Any] = {"due_to": [str(cause) for cause in death.causes]}
        words = render_finding("death.due_to", params)
        return Criterion(DEATH, DEATH_GRADE, self.death_citation, (death.id,), words, False, params)

    def unknowns(self, chart: Chart, assessment: Assessment) -> tuple[Unknown, ...]:
        """Return what is unknown in words, highest reach first, and of equal ones by code."""
        shown = {doubt.code: doubt.shown for doubt in self.doubts_in(chart)}
        if self.gate is not None:
            shown[self.gate.code] = self.gate.shown
        ordered = sorted(assessment.unknown, key=lambda item: -item[1])
        return tuple([_unknown(code, reach, shown[code](chart)) for code, reach in ordered])

    def waived_by(self, chart: Chart) -> Explained | None:
        """Return the treatment for which a fever is not asked for, and that opens the gate."""
        if self.gate is None or chart.death is not None:
            return None
        return self.gate.read(chart).waived_by

    def axes(self, chart: Chart, codes: tuple[tuple[str, int], ...]) -> dict[str, Axis]:
        """Return the axis of each of the ``codes``; a death is compared with nothing."""
        return {code: self.by_code[code].axis_in(chart) for code, _ in codes}


def _assessment(
    found: tuple[tuple[str, int], ...], unknown: tuple[tuple[str, int], ...]
) -> Assessment:
    grade = max([grade for _, grade in found], default=0)
    return Assessment(grade, max([grade, *[reach for _, reach in unknown]]), found, unknown)


def _unknown(code: str, reach: int, finding: Finding) -> Unknown:
    sentence, (evidence, params, _) = finding
    return Unknown(code, reach, render_finding(sentence, params), evidence, params)


class ScalePeriod(NamedTuple):
    """Half-open [``start``, ``end``) of one assessment by one scale; ``end`` None is for ever.

    Criteria, unknowns and what is withheld are in words, as of its start.
    """

    start: datetime
    end: datetime | None
    grade: int
    at_most: int
    criteria: tuple[Criterion, ...]
    unknown: tuple[Unknown, ...]
    withheld: tuple[Criterion, ...] = ()

"""Organ toxicity by CTCAE v4.03, charted or from the laboratory: what a chart says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple, Self

from grading.engine.analytes import Analyte, unit_of_result
from grading.engine.entries import Lab, Symptom, Toxicity
from grading.engine.evidence import CTCAE_LABORATORY, HEADACHE_COUNTS_FROM
from grading.engine.facts import Baseline
from grading.engine.grading_system import Assessed
from grading.engine.laboratory import (
    COMPARED_WITH_BASELINE,
    ctcae_grades,
    highest_grade,
    in_common_unit,
)
from grading.engine.periods import Explained
from grading.engine.policy import Policy
from grading.engine.sentences import result_text
from grading.engine.units import format_number
from grading.engine.vocabulary import (
    HEADACHE,
    TICKS_TO_GRADE,
    TOXICITY_TERMS,
    Attribution,
    TermGroup,
)


class TermResult(NamedTuple):
    """What the latest entry of one term comes to.

    ``ctcae`` is its lowest CTCAE grade (None: not gradable) and ``highest`` the highest that it
    allows. ``counts`` and ``highest_counts`` are whether toxicity of that grade counts at all: it
    is ascribed to CRS, worse than before the infusion, and of a term that may count. Whether
    neurologic terms count is for each grading system to say. ``baseline`` is the patient's own
    value, in the analyte's common unit, where the grade follows from it and not from the limits.
    """

    entry: Lab | Toxicity
    ctcae: int | None
    highest: int
    counts: bool
    highest_counts: bool
    baseline: Decimal | None = None

    @property
    def term(self) -> str:
        entry = self.entry
        return entry.term if isinstance(entry, Toxicity) else str(entry.analyte)

    @property
    def from_laboratory(self) -> bool:
        return isinstance(self.entry, Lab)

    @property
    def is_neurologic(self) -> bool:
        return is_neurologic(self.term)


@dataclass(slots=True)
class Prior:
    """What was there before the infusion: only what is worse than this counts."""

    grades: dict[str, int] = field(default_factory=dict)
    results: dict[Analyte, Lab] = field(default_factory=dict)

    def copied(self) -> Self:
        return replace(self, grades=dict(self.grades), results=dict(self.results))

    def note(self, entry: Lab | Toxicity) -> None:
        if isinstance(entry, Toxicity):
            self.grades[entry.term] = entry.grade
            return
        self.results[entry.analyte] = entry
        graded = ctcae_grades(entry, baseline=None)
        if graded is not None:
            self.grades[entry.analyte.value] = graded.lowest


@dataclass(slots=True)
class OrganToxicity:
    """The latest entry of every term, and ticked symptoms that still need a grade.

    ``assessed`` is what a grading system made of them, kept until an entry comes that may change
    it; most results do not.
    """

    policy: Policy
    baseline: Baseline
    prior: Prior = field(default_factory=Prior)
    by_term: dict[str, TermResult] = field(default_factory=dict)
    ticks: dict[str, Symptom] = field(default_factory=dict)
    charted_at: dict[str, datetime] = field(default_factory=dict)
    assessed: Assessed | None = None

    def copied(self) -> Self:
        return replace(
            self,
            prior=self.prior.copied(),
            by_term=dict(self.by_term),
            ticks=dict(self.ticks),
            charted_at=dict(self.charted_at),
        )

    def frozen_copy(self) -> OrganToxicity:
        """Copy the state for explanations, which need nothing from before the infusion."""
        return OrganToxicity(
            self.policy,
            self.baseline,
            by_term=dict(self.by_term),
            ticks=dict(self.ticks),
            charted_at=dict(self.charted_at),
        )

    def read_under(self, policy: Policy) -> None:
        """Grade the latest entries again under ``policy``; earlier grades need no policy."""
        self.policy, self.assessed = policy, None
        self.by_term = {
            term: self._charted(item.entry)
            if isinstance(item.entry, Toxicity)
            else self._graded(item.entry)
            for term, item in self.by_term.items()
        }

    def note_toxicity(self, entry: Toxicity) -> None:
        self.charted_at[entry.term] = entry.at
        self.by_term[entry.term] = self._charted(entry)
        self.assessed = None

    def note_lab(self, entry: Lab) -> bool:
        """Only analytes that CTCAE grades here are kept; whether this one is."""
        if entry.analyte not in CTCAE_LABORATORY:
            return False
        term = str(entry.analyte)
        former, result = self.by_term.get(term), self._graded(entry)
        self.by_term[term] = result
        if former is None or former[1:] != result[1:]:
            self.assessed = None
        return True

    def note_tick(self, symptom: Symptom) -> None:
        if symptom.present and symptom.counts:
            self.ticks[symptom.term] = symptom
        else:
            self.ticks.pop(symptom.term, None)
        self.assessed = None

    def _charted(self, entry: Toxicity) -> TermResult:
        counts = entry.counts and self._counts(entry.term, entry.grade, laboratory=False)
        return TermResult(entry, entry.grade, entry.grade, counts, counts)

    def _graded(self, entry: Lab) -> TermResult:
        term = str(entry.analyte)
        baseline = self._baseline_of(entry.analyte)
        graded = ctcae_grades(entry, baseline)
        if graded is None:
            return TermResult(
                entry, None, highest_grade(entry.analyte), counts=False, highest_counts=entry.counts
            )
        if baseline is not None and ctcae_grades(entry, baseline=None) == graded:
            baseline = None
        lowest, highest = graded
        counts = entry.counts and self._counts(term, lowest, laboratory=True)
        if highest == lowest:
            return TermResult(entry, lowest, highest, counts, counts, baseline)
        highest_counts = entry.counts and self._counts(term, highest, laboratory=True)
        return TermResult(entry, lowest, highest, counts, highest_counts, baseline)

    def _baseline_of(self, analyte: Analyte) -> Decimal | None:
        if analyte not in COMPARED_WITH_BASELINE:
            return None
        established = self.baseline.of(analyte)
        if established is not None:
            return established
        last = self.prior.results.get(analyte)
        return None if last is None else in_common_unit(analyte, last.value, last.unit)

    def _counts(self, term: str, ctcae: int, *, laboratory: bool) -> bool:
        if ctcae < 1 or (laboratory and ctcae == 1 and not self.policy.laboratory_grade_1_counts):
            return False
        if not may_count(term) or (term == HEADACHE and ctcae < HEADACHE_COUNTS_FROM.value):
            return False
        return not self.policy.worsened_only or ctcae > self.prior.grades.get(term, 0)

    def counted(self, *, neurologic: bool) -> list[TermResult]:
        """Return the toxicities that count, by term; ``neurologic``: those of the nerves too."""
        return [
            result
            for _, result in sorted(self.by_term.items())
            if result.counts and (neurologic or not result.is_neurologic)
        ]

    def ungraded(self, *, neurologic: bool) -> list[Symptom]:
        """Ticked symptoms without a CTCAE grade charted at or after the tick, by term."""
        return [
            tick
            for term, tick in sorted(self.ticks.items())
            if may_count(term)
            and (neurologic or not is_neurologic(term))
            and (term not in self.charted_at or self.charted_at[term] < tick.at)
        ]

    def explain_doubt(self, term: str) -> Explained:
        """Explain a result that may be worse than is certain, or cannot be graded."""
        doubtful = self.by_term[term]
        return Explained((doubtful.entry.id,), _doubt_params(doubtful))


def explain_found(found: Sequence[TermResult]) -> Explained:
    """Explain toxicities that count, with their CTCAE grades."""
    return Explained(
        tuple(item.entry.id for item in found),
        {"findings": [_finding_params(item) for item in found]},
        any(item.entry.attribution is Attribution.UNCERTAIN for item in found),
    )


def explain_ungraded(ticks: Sequence[Symptom]) -> Explained:
    """Explain symptoms that were ticked and need a CTCAE grade."""
    return Explained(tuple(tick.id for tick in ticks), {"terms": [tick.term for tick in ticks]})


def may_count(term: str) -> bool:
    """Return whether toxicity of ``term`` can raise a grade at all."""
    return TOXICITY_TERMS[term] is not TermGroup.NEVER


def is_neurologic(term: str) -> bool:
    return TOXICITY_TERMS[term] is TermGroup.NEUROLOGIC


def wants_grade(symptom: Symptom) -> bool:
    """Return whether a tick of this symptom asks for a CTCAE grade."""
    return symptom.term in TICKS_TO_GRADE


def lab_params(entry: Lab) -> dict[str, str]:
    """Return a result as reported: analyte and unit by code, value, limits of normal."""
    params = {
        "analyte": str(entry.analyte),
        "value": format_number(entry.value),
        "unit": entry.unit,
    }
    if entry.comparator:
        params["comparator"] = entry.comparator
    if entry.lower_limit is not None:
        params["lower_limit"] = format_number(entry.lower_limit)
    if entry.upper_limit is not None:
        params["upper_limit"] = format_number(entry.upper_limit)
    return params


def lab_text(entry: Lab) -> str:
    """Return a result as reported, in words."""
    return result_text(lab_params(entry))


def _graded_params(result: TermResult, entry: Lab) -> dict[str, str]:
    """Return a result as reported, with the baseline from which its grade follows in its unit."""
    params = lab_params(entry)
    if result.baseline is not None:
        to_common = unit_of_result(entry.analyte, entry.unit).to_common
        params["baseline"] = format_number(Fraction(result.baseline) / Fraction(to_common))
    return params


def _finding_params(result: TermResult) -> dict[str, Any]:
    if isinstance(result.entry, Lab):
        return {"result": _graded_params(result, result.entry), "ctcae": str(result.ctcae)}
    return {"term": result.entry.term, "ctcae": str(result.entry.grade)}


def _doubt_params(result: TermResult) -> dict[str, Any]:
    if not isinstance(result.entry, Lab):
        raise TypeError("only a laboratory result can be in doubt")
    params: dict[str, Any] = {"result": _graded_params(result, result.entry)}
    if result.ctcae is not None:
        params["at_least_ctcae"] = str(result.ctcae)
    return params

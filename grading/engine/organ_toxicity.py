"""Organ toxicity by CTCAE v4.03, charted or from the laboratory: Table 2, grades 1 to 4."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple, Self

from grading.engine.analytes import Analyte
from grading.engine.entries import Lab, Symptom, Toxicity
from grading.engine.evidence import CTCAE_LABORATORY
from grading.engine.facts import Baseline
from grading.engine.laboratory import (
    COMPARED_WITH_BASELINE,
    ctcae_grades,
    highest_grade,
    in_common_unit,
)
from grading.engine.periods import Assessed, Explain, Explained
from grading.engine.policy import Policy
from grading.engine.sentences import result_text
from grading.engine.units import format_number
from grading.engine.vocabulary import (
    HEADACHE,
    TICKS_TO_GRADE,
    TOXICITY_TERMS,
    TRANSAMINASES,
    Attribution,
    TermGroup,
)

UNGRADED: Final = "organ_toxicity.ungraded"
TRANSAMINITIS: Final = "organ_toxicity.grade_4_transaminitis"
_CODE: Final = {grade: f"organ_toxicity.grade_{grade}" for grade in (1, 2, 3, 4)}
_CTCAE_LIFE_THREATENING: Final = 4
_TRANSAMINITIS_CRS_GRADE: Final = 3
_HEADACHE_COUNTS_FROM: Final = 3


class TermResult(NamedTuple):
    """What the latest entry of one term comes to.

    ``code`` is the criterion it meets, ``could_reach`` the CRS grade its unknown could reach
    (0: nothing is unknown), ``ctcae`` its lowest CTCAE grade (None: not gradable).
    """

    entry: Lab | Toxicity
    code: str | None
    could_reach: int
    ctcae: int | None


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

    ``assessed`` is cached until an entry comes that may change it; most results do not.
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

    def explainer(self) -> Explain:
        """Return an explainer of the present findings; results before the infusion explain none."""
        return OrganToxicity(
            self.policy,
            self.baseline,
            by_term=dict(self.by_term),
            ticks=dict(self.ticks),
            charted_at=dict(self.charted_at),
        ).explain

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
        if former is None or (former.code, former.could_reach) != (
            result.code,
            result.could_reach,
        ):
            self.assessed = None
        return True

    def note_tick(self, symptom: Symptom) -> None:
        if symptom.present and symptom.counts:
            self.ticks[symptom.term] = symptom
        else:
            self.ticks.pop(symptom.term, None)
        self.assessed = None

    def _charted(self, entry: Toxicity) -> TermResult:
        code = None
        if entry.counts and self._counts(entry.term, entry.grade, laboratory=False):
            code = _criterion(entry.term, entry.grade)
        return TermResult(entry, code, 0, entry.grade)

    def _graded(self, entry: Lab) -> TermResult:
        term = str(entry.analyte)
        graded = ctcae_grades(entry, self._baseline_of(entry.analyte))
        if graded is None:
            reach = crs_grade(term, highest_grade(entry.analyte)) if entry.counts else 0
            return TermResult(entry, None, reach, None)
        if not entry.counts:
            return TermResult(entry, None, 0, graded.lowest)
        code, sure = self._outcome(term, graded.lowest)
        if graded.highest == graded.lowest:
            return TermResult(entry, code, 0, graded.lowest)
        _, possible = self._outcome(term, graded.highest)
        return TermResult(entry, code, possible if possible > sure else 0, graded.lowest)

    def _outcome(self, term: str, ctcae: int) -> tuple[str | None, int]:
        """Return criterion and CRS grade of a laboratory result of CTCAE grade ``ctcae``."""
        if not self._counts(term, ctcae, laboratory=True):
            return None, 0
        return _criterion(term, ctcae), crs_grade(term, ctcae)

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
        if not may_count(term, self.policy) or (term == HEADACHE and ctcae < _HEADACHE_COUNTS_FROM):
            return False
        return not self.policy.worsened_only or ctcae > self.prior.grades.get(term, 0)

    def assess(self) -> Assessed:
        if self.assessed is None:
            self.assessed = self._assess()
        return self.assessed

    def _assess(self) -> Assessed:
        codes = {item.code for item in self.by_term.values() if item.code is not None}
        met = tuple(sorted(codes))
        doubtful = [
            (f"lab.{term}", item.could_reach)
            for term, item in self.by_term.items()
            if item.could_reach
        ]
        unknown = tuple(sorted(doubtful))
        if self.ticks and self.ungraded():
            return met, (*unknown, (UNGRADED, _CTCAE_LIFE_THREATENING))
        return met, unknown

    def ungraded(self) -> list[Symptom]:
        """Ticked symptoms without a CTCAE grade charted at or after the tick, by term."""
        return [
            tick
            for term, tick in sorted(self.ticks.items())
            if may_count(term, self.policy)
            and (term not in self.charted_at or self.charted_at[term] < tick.at)
        ]

    def explain(self, code: str) -> Explained:
        if code == UNGRADED:
            ticks = self.ungraded()
            params = {"terms": [tick.term for tick in ticks]}
            return Explained(tuple(tick.id for tick in ticks), params)
        if code.startswith("lab."):
            doubtful = self.by_term[code.removeprefix("lab.")]
            return Explained((doubtful.entry.id,), _doubt_params(doubtful))
        found = [item for _, item in sorted(self.by_term.items()) if item.code == code]
        return Explained(
            tuple(item.entry.id for item in found),
            {"findings": [_finding_params(item) for item in found]},
            any(item.entry.attribution is Attribution.UNCERTAIN for item in found),
        )


def may_count(term: str, policy: Policy) -> bool:
    """Return whether toxicity of ``term`` can ever raise the grade."""
    group = TOXICITY_TERMS[term]
    if group is TermGroup.NEVER:
        return False
    return policy.neuro_counts or group is not TermGroup.NEUROLOGIC


def crs_grade(term: str, ctcae: int) -> int:
    """Return the CRS grade of a counted toxicity: its own, but 3 for grade 4 transaminitis."""
    if term in TRANSAMINASES and ctcae == _CTCAE_LIFE_THREATENING:
        return _TRANSAMINITIS_CRS_GRADE
    return ctcae


def wants_grade(symptom: Symptom) -> bool:
    """Return whether a tick of this symptom asks for a CTCAE grade."""
    return symptom.term in TICKS_TO_GRADE


def _criterion(term: str, ctcae: int) -> str:
    if term in TRANSAMINASES and ctcae == _CTCAE_LIFE_THREATENING:
        return TRANSAMINITIS
    return _CODE[ctcae]


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


def _finding_params(result: TermResult) -> dict[str, Any]:
    if isinstance(result.entry, Lab):
        return {"result": lab_params(result.entry), "ctcae": str(result.ctcae)}
    return {"term": result.entry.term, "ctcae": str(result.entry.grade)}


def _doubt_params(result: TermResult) -> dict[str, Any]:
    if not isinstance(result.entry, Lab):
        raise TypeError("only a laboratory result can be in doubt")
    params: dict[str, Any] = {"result": lab_params(result.entry)}
    if result.ctcae is not None:
        params["at_least_ctcae"] = str(result.ctcae)
    return params

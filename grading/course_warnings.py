"""What a form would ask about, listed for a course file: it changes neither grade nor status."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from grading.course_file import CourseDocument
from grading.engine.entries import (
    BaselineFacts,
    Entry,
    Treatment,
    Vasopressor,
    Vitals,
    Weight,
    in_force,
)
from grading.engine.facts import Baseline
from grading.engine.plausibility import Circumstances, pressure_contradiction, questions
from grading.engine.vasopressors import charted_dose
from grading.engine.vocabulary import FAHRENHEIT, FAR_FROM_INFUSION, TreatmentAgent, VasopressorDrug
from grading.plain_text import without_controls


@dataclass(frozen=True, slots=True)
class CourseWarning:
    """What is unusual and where: ``entries[3].upper_limit``."""

    place: str
    text: str

    def __str__(self) -> str:
        return without_controls(f"{self.place}: {self.text}")


def warnings_of(
    document: CourseDocument, known: Iterable[Entry] | None = None
) -> list[CourseWarning]:
    """Return the warnings about a course, in the order of its file.

    Entries that were corrected or retracted are passed over. ``known`` are the entries that count;
    None takes all.
    """
    index = {entry.id: number for number, entry in enumerate(document.entries)}
    entries = document.entries if known is None else known
    found: list[tuple[int, CourseWarning]] = [(-1, warning) for warning in _of_the_start(document)]
    chart = _Chart(document)
    for entry in sorted(in_force(entries), key=lambda one: (one.at, one.recorded_at)):
        number = index[entry.id]
        found += [
            (number, CourseWarning(f"entries[{number}].{place}", text))
            for place, text in chart.warnings(entry)
        ]
        chart.note(entry)
    return [warning for _, warning in sorted(found, key=lambda item: item[0])]


def _of_the_start(document: CourseDocument) -> Iterator[CourseWarning]:
    """Warnings about the weight and the baseline outside the entries."""
    facts, chart = document.facts, _Chart(document)
    at = facts.infused_at
    if facts.weight_kg is not None:
        weight = Weight(id="", at=at, recorded_at=at, weight_kg=facts.weight_kg)
        for question in questions(weight, chart.circumstances()):
            yield CourseWarning("weight_kg", question.sentence)
    if facts.baseline != Baseline():
        values = {name: getattr(facts.baseline, name) for name in Baseline.__slots__}
        baseline = BaselineFacts(id="", at=at, recorded_at=at, **values)
        for place, text in chart.warnings(baseline):
            yield CourseWarning(f"baseline.{place}", text)


@dataclass(slots=True)
class _Chart:
    """What was charted up to an entry, as a form knows it."""

    document: CourseDocument
    weights: list[Weight] = field(default_factory=list)
    doses: dict[VasopressorDrug, Fraction | None] = field(default_factory=dict)
    given_at: dict[TreatmentAgent, list[datetime]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        facts = self.document.facts
        if facts.weight_kg is not None:
            at = facts.infused_at
            start = Weight(id="", at=at, recorded_at=at, weight_kg=facts.weight_kg)
            self.weights.append(start)

    def circumstances(self, entry: Entry | None = None) -> Circumstances:
        facts = self.document.facts
        base = Circumstances(
            age_years=facts.age_in_completed_years,
            is_neonate=facts.is_neonate,
            weight_kg=self._weight_kg(),
            infused_at=facts.infused_at,
        )
        if isinstance(entry, Weight):
            return replace(base, weights=tuple(self.weights))
        if isinstance(entry, Vasopressor):
            return replace(base, dose_before=self.doses.get(entry.drug))
        if isinstance(entry, Treatment):
            return replace(base, given_at=tuple(self.given_at.get(entry.agent, ())))
        return base

    def warnings(self, entry: Entry) -> Iterator[tuple[str, str]]:
        """Give place and sentence of each warning about ``entry``."""
        infused_at = self.document.facts.infused_at
        if infused_at - entry.at > FAR_FROM_INFUSION:
            yield "at", f"more than {FAR_FROM_INFUSION.days} days before the infusion."
        if isinstance(entry, Vitals | BaselineFacts):
            contradiction = pressure_contradiction(
                entry.systolic_mmhg, entry.diastolic_mmhg, entry.mean_arterial_pressure_mmhg
            )
            if contradiction is not None:
                yield contradiction
        in_fahrenheit = isinstance(entry, Vitals) and entry.temperature_f is not None
        for place, sentence in questions(entry, self.circumstances(entry)):
            is_temperature = in_fahrenheit and place == "temperature_c"
            yield FAHRENHEIT.key if is_temperature else place, sentence

    def note(self, entry: Entry) -> None:
        """Chart ``entry``: later ones are compared with it."""
        if isinstance(entry, Weight):
            self.weights.append(entry)
        elif isinstance(entry, Vasopressor):
            weight_kg = entry.weight_kg or self._weight_kg()
            self.doses[entry.drug] = charted_dose(entry, weight_kg)
        elif isinstance(entry, Treatment):
            self.given_at.setdefault(entry.agent, []).append(entry.at)

    def _weight_kg(self) -> Decimal | None:
        return self.weights[-1].weight_kg if self.weights else None

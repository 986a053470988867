"""Input of the algorithm: status, treatments and answers of a course at one instant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Protocol

from grading.engine.algorithm.item import Input
from grading.engine.algorithm.toxicities import CountedToxicity
from grading.engine.entries import Entry, Treatment
from grading.engine.facts import CourseFacts
from grading.engine.periods import Criterion, Unknown
from grading.engine.sentences import inside_a_sentence
from grading.engine.times import in_zone, time_of_day
from grading.engine.units import format_number
from grading.engine.vocabulary import RiskQuestion, TreatmentAgent


class GradeInterval(Protocol):
    """A grade over the half-open time from ``start`` to ``end``; None is without end."""

    @property
    def start(self) -> datetime: ...

    @property
    def end(self) -> datetime | None: ...

    @property
    def grade(self) -> int: ...


@dataclass(frozen=True, slots=True)
class RiskAnswer:
    """The latest answer to a risk question; ``entry_id`` None: charted with the patient."""

    present: bool
    entry_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A graded course at ``now``; nothing in it lies after ``now``.

    ``latest`` and ``stale`` are those of the status; ``before`` is the latest about each thing
    before the infusion. ``treatments`` are all that were charted, in order of time; ``history``
    the grades since the infusion. Times are written in ``timezone``.
    """

    now: datetime
    timezone: tzinfo | None
    facts: CourseFacts
    grade: int
    at_most: int
    criteria: tuple[Criterion, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    excluded: tuple[str, ...] = ()
    latest: Mapping[str, Entry] = field(default_factory=dict)
    before: Mapping[str, Entry] = field(default_factory=dict)
    stale: frozenset[str] = frozenset()
    weight_kg: Decimal | None = None
    baseline_systolic_known: bool = False
    risk: Mapping[RiskQuestion, RiskAnswer] = field(default_factory=dict)
    treatments: tuple[Treatment, ...] = ()
    toxicities: tuple[CountedToxicity, ...] = ()
    history: tuple[GradeInterval, ...] = ()
    stabilised_at: datetime | None = None

    def doses_of(self, *agents: TreatmentAgent) -> tuple[Treatment, ...]:
        """Return every charted dose of ``agents``, earliest first."""
        return tuple(item for item in self.treatments if item.agent in agents)

    def answered(self, question: RiskQuestion) -> bool | None:
        answer = self.risk.get(question)
        return None if answer is None else answer.present

    def newest(self, key: str) -> Entry | None:
        """Return the latest entry about a thing, or the one before the infusion if none follows."""
        return self.latest.get(key) or self.before.get(key)

    def meets(self, *prefixes: str) -> bool:
        """Return whether a criterion is met whose code begins with one of ``prefixes``."""
        return any(criterion.code.startswith(prefixes) for criterion in self.criteria)

    def grade_at(self, instant: datetime) -> int | None:
        """Return the grade at ``instant``; None where nothing was graded."""
        for interval in self.history:
            if interval.start <= instant and (interval.end is None or instant < interval.end):
                return interval.grade
        return None

    def clock(self, instant: datetime) -> str:
        """Return an instant as hour and minute, with the date where it is another day."""
        local = in_zone(instant, self.timezone)
        time = time_of_day(local)
        if local.date() == in_zone(self.now, self.timezone).date():
            return time
        return f"{local.day} {local:%b} {time}"

    def given_text(self, treatment: Treatment) -> str:
        """Return a treatment with its time, for inside a sentence."""
        return f"{inside_a_sentence(treatment.agent.label)} given at {self.clock(treatment.at)}"

    def weight_input(self) -> Input:
        entry = self.latest.get("weight")
        weight = "not charted" if self.weight_kg is None else f"{format_number(self.weight_kg)} kg"
        return Input(entry.id if entry is not None else None, "Weight", weight)

    def risk_inputs(self, *questions: RiskQuestion) -> tuple[Input, ...]:
        return tuple(
            Input(
                self.risk[question].entry_id if question in self.risk else None,
                question.label.capitalize(),
                _YES_NO[self.answered(question)],
            )
            for question in questions
        )

    def treatment_inputs(self, treatments: tuple[Treatment, ...]) -> tuple[Input, ...]:
        return tuple(
            Input(item.id, item.agent.label, f"{amount(item)}, {self.clock(item.at)}")
            for item in treatments
        )

    def criteria_inputs(self) -> tuple[Input, ...]:
        """Return the deciding criteria as inputs, one for each of their entries."""
        return tuple(
            Input(entry_id, f"Grade {criterion.grade}", criterion.explanation)
            for criterion in self.deciding()
            for entry_id in criterion.evidence
        )

    def deciding(self) -> tuple[Criterion, ...]:
        """Return the criteria that decide the grade."""
        return tuple(item for item in self.criteria if item.grade == self.grade)

    def doubts(self) -> tuple[str, ...]:
        """Return what is uncertain about the grade: its bound, and an uncertain attribution."""
        notes = []
        if self.at_most > self.grade:
            notes.append(f"the grade itself, which could be {self.at_most}.")
        if any(criterion.uncertain for criterion in self.deciding()):
            notes.append("whether CRS is the cause, charted as uncertain.")
        return tuple(notes)


_YES_NO = {True: "yes", False: "no", None: "not answered"}


def amount(treatment: Treatment) -> str:
    """Return a charted dose in words."""
    dose = treatment.dose_mg
    return "dose not charted" if dose is None else f"{format_number(dose)} mg"

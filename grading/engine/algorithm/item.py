"""One piece of guidance, shaped like a decision-support card: text with its basis, not an order."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NamedTuple

from grading.engine.algorithm.evidence import cited
from grading.engine.evidence import Citation
from grading.engine.vocabulary import Labelled, TreatmentAgent


class Indicator(StrEnum):
    """Urgency of an item, the most urgent first."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Reply(Labelled):
    """What a clinician can answer. ``done`` charts the treatment too."""

    DONE = "done", "Done"
    NOT_NOW = "not_now", "Not now"
    NOT_APPROPRIATE = "not_appropriate", "Not appropriate"
    STABILISED = "stabilised", "Stabilised"


ACTION: Final = (Reply.DONE, Reply.NOT_NOW, Reply.NOT_APPROPRIATE)


class Input(NamedTuple):
    """A piece of the chart that an item used; ``entry_id`` None: known with the patient."""

    entry_id: str | None
    what: str
    value: str

    def as_json(self) -> dict[str, Any]:
        return {"entry": self.entry_id, "what": self.what, "value": self.value}


@dataclass(frozen=True, slots=True)
class Dose:
    """A dose that an item works out from the weight, in mg; ``per_day``: a whole day's amount.

    ``label_mg`` is that of the current US label, where it has one for this patient.
    """

    agent: TreatmentAgent
    dose_mg: Decimal
    per_day: bool = False
    label_mg: Decimal | None = None


class RuleResult(NamedTuple):
    """Outcome of a rule; ``other_source`` is advice from elsewhere, kept apart from the paper's."""

    indicator: Indicator
    summary: str
    detail: str
    other_source: str = ""
    inputs: tuple[Input, ...] = ()
    unknown: tuple[str, ...] = ()
    answers: tuple[Reply, ...] = ()
    dose: Dose | None = None


class Item(NamedTuple):
    """An outcome of a rule with its code and its citations."""

    code: str
    citations: tuple[Citation, ...]
    result: RuleResult

    @property
    def indicator(self) -> Indicator:
        return self.result.indicator

    @property
    def summary(self) -> str:
        return self.result.summary

    @property
    def detail(self) -> str:
        """The paper's advice for this patient, without that of other sources."""
        return self.result.detail

    @property
    def other_source(self) -> str:
        """Advice of another source than the paper, such as the label; "" where there is none."""
        return self.result.other_source

    @property
    def inputs(self) -> tuple[Input, ...]:
        return self.result.inputs

    @property
    def unknown(self) -> tuple[str, ...]:
        return self.result.unknown

    @property
    def answers(self) -> tuple[Reply, ...]:
        return self.result.answers

    @property
    def agent(self) -> TreatmentAgent | None:
        return None if self.result.dose is None else self.result.dose.agent

    @property
    def dose_mg(self) -> Decimal | None:
        """The paper's dose for this weight in mg; of a ``dose_per_day`` the day's amount."""
        return None if self.result.dose is None else self.result.dose.dose_mg

    @property
    def label_mg(self) -> Decimal | None:
        """The dose of the current US label in mg, where the item works one out."""
        return None if self.result.dose is None else self.result.dose.label_mg

    @property
    def dose_per_day(self) -> bool:
        return self.result.dose is not None and self.result.dose.per_day

    @property
    def citation(self) -> str:
        return "; ".join(cited(citation) for citation in self.citations)

    def as_json(self) -> dict[str, Any]:
        """Return the item as JSON of a course result."""
        parts = (self.detail, self.other_source, *(f"Not known: {note}" for note in self.unknown))
        return {
            "code": self.code,
            "indicator": str(self.indicator),
            "summary": self.summary,
            "detail": " ".join(part for part in parts if part),
            "citation": self.citation,
            "inputs": [item.as_json() for item in self.inputs],
        }

"""One piece of guidance, shaped like a decision-support card: text with its basis, not an order."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from grading.engine.algorithm.evidence import cited
from grading.engine.evidence import Citation
from grading.engine.vocabulary import Labelled, TreatmentAgent


class Indicator(StrEnum):
    """How urgent an item is; the most urgent stands first."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Reply(Labelled):
    """What a clinician can answer. ``done`` charts the treatment; the others are kept as said."""

    DONE = "done", "Done"
    NOT_NOW = "not_now", "Not now"
    NOT_APPROPRIATE = "not_appropriate", "Not appropriate"
    STABILISED = "stabilised", "Stabilised"


ACTION: Final = (Reply.DONE, Reply.NOT_NOW, Reply.NOT_APPROPRIATE)


@dataclass(frozen=True, slots=True)
class Input:
    """A piece of the chart that an item used; ``entry_id`` None: known with the patient."""

    entry_id: str | None
    what: str
    value: str

    def as_json(self) -> dict[str, Any]:
        return {"entry": self.entry_id, "what": self.what, "value": self.value}


@dataclass(frozen=True, slots=True)
class Dose:
    """A dose that an item works out from the weight, in mg; ``per_day``: a whole day's amount."""

    agent: TreatmentAgent
    dose_mg: Decimal
    per_day: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a rule says. ``beside`` stands next to the paper's words and is not from the paper."""

    indicator: Indicator
    summary: str
    detail: str
    beside: str = ""
    inputs: tuple[Input, ...] = ()
    unknown: tuple[str, ...] = ()
    answers: tuple[Reply, ...] = ()
    dose: Dose | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """What a rule says, under its code and with the places it rests on."""

    code: str
    citations: tuple[Citation, ...]
    said: Said

    @property
    def indicator(self) -> Indicator:
        return self.said.indicator

    @property
    def summary(self) -> str:
        return self.said.summary

    @property
    def detail(self) -> str:
        """The paper's advice for this patient; ``beside`` is kept apart from it."""
        return self.said.detail

    @property
    def beside(self) -> str:
        """What another source than the paper says, "" where nothing is set beside it."""
        return self.said.beside

    @property
    def inputs(self) -> tuple[Input, ...]:
        return self.said.inputs

    @property
    def unknown(self) -> tuple[str, ...]:
        return self.said.unknown

    @property
    def answers(self) -> tuple[Reply, ...]:
        return self.said.answers

    @property
    def agent(self) -> TreatmentAgent | None:
        return None if self.said.dose is None else self.said.dose.agent

    @property
    def dose_mg(self) -> Decimal | None:
        """The paper's dose for this weight in mg; of a ``dose_per_day`` the day's amount."""
        return None if self.said.dose is None else self.said.dose.dose_mg

    @property
    def dose_per_day(self) -> bool:
        return self.said.dose is not None and self.said.dose.per_day

    @property
    def citation(self) -> str:
        return "; ".join(cited(citation) for citation in self.citations)

    def as_json(self) -> dict[str, Any]:
        """The item as the course file's answer has it."""
        parts = (self.detail, self.beside, *(f"Not known: {note}" for note in self.unknown))
        return {
            "code": self.code,
            "indicator": str(self.indicator),
            "summary": self.summary,
            "detail": " ".join(part for part in parts if part),
            "citation": self.citation,
            "inputs": [item.as_json() for item in self.inputs],
        }

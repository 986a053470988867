"""What the guidance panel prints: plain values, worded, that templates compare nothing of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from grading.engine.algorithm import Indicator


def slug_of(code: str) -> str:
    """How an item is named in a page's addresses."""
    return f"item-{code.replace('.', '-').replace('_', '-')}"


@dataclass(frozen=True, slots=True)
class InputLine:
    """A piece of the chart that an item used; ``at`` and ``author`` where an entry says it."""

    what: str
    value: str
    at: datetime | None
    author: str


@dataclass(frozen=True, slots=True)
class Tap:
    """A button that charts something at once: ``says`` what, ``mark`` stands for what was seen.

    ``holds``: this is what the chart says now.
    """

    label: str
    says: str
    mark: str = ""
    holds: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """Something to chart: by one tap, or by the form of ``form_kind`` ("" where there is none)."""

    key: str
    label: str
    note: str = ""
    taps: tuple[Tap, ...] = ()
    form_kind: str = ""
    form_label: str = ""

    @property
    def told(self) -> str:
        """The task with the answer that holds, "" where none does."""
        label = self.label.removesuffix("?").lower()
        return next((f"{label} {tap.label.lower()}" for tap in self.taps if tap.holds), "")


@dataclass(frozen=True, slots=True)
class AnsweredLine:
    """The latest answer to an item. ``why_again`` says why it is asked again, "" where it holds."""

    answer_id: UUID
    text: str
    author: str
    at: datetime
    why_again: str


@dataclass(frozen=True, slots=True)
class ItemCard:
    """One item of guidance; ``slug`` names it in the page, ``next_at`` is what it waits for."""

    code: str
    slug: str
    indicator: str
    indicator_label: str
    summary: str
    detail: str
    beside: str
    citation: str
    inputs: tuple[InputLine, ...]
    unknown: tuple[str, ...]
    replies: tuple[str, ...]
    charts: bool
    proposes_dose: bool
    tasks: tuple[Task, ...]
    answered: AnsweredLine | None
    next_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it still asks something: not answered, or asked again."""
        return self.answered is None or bool(self.answered.why_again)

    @property
    def answers_in_sight(self) -> bool:
        """Whether the answers stand on the card itself; else inside its detail."""
        return self.is_open and (self.indicator != Indicator.INFO or self.proposes_dose)

    @property
    def seen(self) -> str:
        return "" if self.answered is None else str(self.answered.answer_id)


@dataclass(frozen=True, slots=True)
class Rise:
    """The first time that the course reached the grade that it has now; it interrupts once."""

    key: str
    at: datetime
    before: int
    grade: int
    text: str


@dataclass(frozen=True, slots=True)
class GuidancePanel:
    """Guidance for a course at ``as_of``; ``next_at`` is when the clock alone changes it."""

    course_id: UUID
    as_of: datetime
    grade: int | None
    asked: Sequence[ItemCard]
    answered: Sequence[ItemCard]
    questions: Sequence[Task]
    told: Sequence[Task]
    rise: Rise | None
    next_at: datetime | None
    signature: str

    @property
    def first(self) -> ItemCard | None:
        """The most urgent item that still asks something."""
        return next(iter(self.asked), None)

"""The guidance panel: items, open tasks and answers as values for templates."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from grading.engine.algorithm import Indicator, Input, Item
from grading.engine.algorithm.evidence import JUST_GIVEN, REASSESS_AFTER, hours
from grading.engine.vocabulary import RiskQuestion, TreatmentAgent
from patients.display.text import clock_text, day_of
from patients.display.timeline import answer_text
from patients.forms.unchanged import UnchangedItem, unchanged_items
from patients.guidance.advice import (
    CHARTED_BY_DONE,
    Advice,
    advice_of,
    last_tocilizumab,
    risk_answers,
    why_asked_again,
)
from patients.guidance.tasks import RISK_ASKED, Task, risk_task, tasks_of
from patients.queries.grades import EntryAuthor, GradeHistory
from patients.queries.status import CourseStatus, read_authors, read_history_for, weights_among


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
class AnsweredLine:
    """The latest answer to an item. ``why_again``: why it is asked again, "" where it holds."""

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
    other_source: str
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
class GradeRiseAlert:
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
    rise: GradeRiseAlert | None
    next_at: datetime | None
    signature: str

    @property
    def first(self) -> ItemCard | None:
        """The most urgent item that still asks something."""
        return next(iter(self.asked), None)


_INTERRUPTS_FOR: Final = timedelta(hours=24)
_INDICATORS: Final = {
    Indicator.CRITICAL: "Critical",
    Indicator.WARNING: "Warning",
    Indicator.INFO: "For information",
}


def read_panel(status: CourseStatus) -> GuidancePanel:
    """Read what guidance needs with ``status``, and build the panel."""
    history = read_history_for(status.course.pk, status.current)
    return panel_for_status(
        status, history, unchanged_items(status.current, weights_among(history.weights))
    )


def panel_for_status(
    status: CourseStatus, history: GradeHistory, unchanged: Sequence[UnchangedItem]
) -> GuidancePanel:
    """The panel of a course that was read already."""
    return build_panel(advice_of(status, history), history.authors, unchanged)


def build_panel(
    advised: Advice, known: Mapping[str, EntryAuthor], can_go_on: Sequence[UnchangedItem]
) -> GuidancePanel:
    """The panel of what is advised.

    ``known`` are authors at hand, those of other entries that an item used are read; ``can_go_on``
    is what a round may find unchanged.
    """
    course, status = advised.course, advised.status
    authors = _authors(advised, known)
    risk = risk_answers(advised)
    cards = [_card(item, advised, authors, risk, can_go_on) for item in advised.items]
    questions = list(_questions(advised, risk, authors))
    rise, next_at = _rise(advised), _next_at(advised)
    return GuidancePanel(
        course_id=course.pk,
        as_of=status.at,
        grade=status.grade,
        asked=[card for card in cards if card.is_open],
        answered=[card for card in cards if not card.is_open],
        questions=[task for task in questions if not task.told],
        told=[task for task in questions if task.told],
        rise=rise,
        next_at=next_at,
        signature=_signature(status.grade, cards, questions, rise, next_at, day_of(status.at)),
    )


def _authors(advised: Advice, known: Mapping[str, EntryAuthor]) -> dict[str, EntryAuthor]:
    """Who charted what the items and the questions used."""
    used = {used.entry_id for item in advised.items for used in item.inputs if used.entry_id}
    given = {str(row.pk): EntryAuthor(row.author, row.at) for row in advised.given}
    at_hand = {**known, **given}
    return at_hand | read_authors(used - at_hand.keys())


def _card(
    item: Item,
    advised: Advice,
    authors: Mapping[str, EntryAuthor],
    risk: Mapping[RiskQuestion, tuple[bool, str]],
    can_go_on: Sequence[UnchangedItem],
) -> ItemCard:
    now = advised.status.at
    answered = {question: present for question, (present, _) in risk.items()}
    return ItemCard(
        code=item.code,
        slug=slug_of(item.code),
        indicator=item.indicator.value,
        indicator_label=_INDICATORS[item.indicator],
        summary=item.summary,
        detail=item.detail,
        other_source=item.other_source,
        citation=item.citation,
        inputs=tuple(_input(used, authors, now) for used in item.inputs),
        unknown=tuple(item.unknown),
        replies=tuple(reply.value for reply in item.answers),
        charts=item.code in CHARTED_BY_DONE,
        proposes_dose=item.dose_mg is not None,
        tasks=tasks_of(item, advised.status, answered, can_go_on),
        answered=_answered(item, advised),
        next_at=_due(advised) if item.code == "tocilizumab.awaiting" else None,
    )


def _input(used: Input, authors: Mapping[str, EntryAuthor], now: datetime) -> InputLine:
    """The value without the time that the line gives apart from it."""
    author = authors.get(used.entry_id or "")
    if author is None:
        return InputLine(used.what, used.value, None, "")
    value = used.value
    if ", " in value:
        value = value.removesuffix(f", {clock_text(author.at, now)}")
    return InputLine(used.what, value, author.at, author.name)


def _answered(item: Item, advised: Advice) -> AnsweredLine | None:
    answer = advised.answers.get(item.code)
    if answer is None:
        return None
    return AnsweredLine(
        answer_id=answer.pk,
        text=answer_text(answer),
        author=answer.author,
        at=answer.recorded_at,
        why_again=why_asked_again(item, answer, advised),
    )


def _questions(
    advised: Advice,
    risk: Mapping[RiskQuestion, tuple[bool, str]],
    authors: Mapping[str, EntryAuthor],
) -> Iterable[Task]:
    """The algorithm's questions: those answered, to be changed, and those asked at this grade.

    The two that decide the branch at grade 2 are asked by their own item while they are open.
    """
    grade = advised.status.grade
    for question in RISK_ASKED:
        present, entry_id = risk.get(question, (None, ""))
        if present is not None:
            author = authors[entry_id]
            told = f"{clock_text(author.at, advised.status.at)}, {author.name}"
            yield risk_task(question, present, told)
        elif question is RiskQuestion.CHRONIC_CORTICOSTEROIDS and grade in (2, 3, 4):
            yield risk_task(
                question, None, "Asked because stress-dose hydrocortisone depends on it"
            )


def _rise(advised: Advice) -> GradeRiseAlert | None:
    """The first change up to the grade that holds since, while it is recent."""
    grade, now = advised.status.grade, advised.status.at
    highest, reached = None, None
    for stretch in advised.stretches:
        if highest is not None and stretch.grade > highest:
            reached = (stretch.start, highest, stretch.grade)
        elif reached is not None and stretch.grade < reached[2]:
            reached = None
        highest = max(stretch.grade, highest or 0)
    if reached is None or now - reached[0] >= _INTERRUPTS_FOR:
        return None
    at, before, risen_to = reached
    deciding = (c.explanation for c in advised.status.criteria if c.grade == grade)
    key = f"{advised.course.pk}:{risen_to}"
    return GradeRiseAlert(key, at, before, risen_to, next(deciding, ""))


def _next_at(advised: Advice) -> datetime | None:
    """When the clock alone changes what is asked; changes of grade are the grade card's."""
    now = advised.status.at
    instants = [answer.returns_at for answer in advised.answers.values() if answer.returns_at]
    for treatment in advised.treatments:
        wait = REASSESS_AFTER if treatment.agent is TreatmentAgent.TOCILIZUMAB else JUST_GIVEN
        instants.append(treatment.at + hours(wait))
    return min((instant for instant in instants if instant > now), default=None)


def _due(advised: Advice) -> datetime | None:
    """When the latest tocilizumab is to be reassessed."""
    last = last_tocilizumab(advised)
    return None if last is None else last.at + hours(REASSESS_AFTER)


def _signature(*shown: Any) -> str:
    """Changes with anything that the panel prints; a time of day has its date on another day."""
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]

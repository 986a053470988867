"""The guidance panel: items, open tasks and answers as values for templates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from grading.engine.algorithm import REASSESS, STALE, Indicator, Input, Item
from grading.engine.algorithm.evidence import (
    JUST_GIVEN,
    LABEL_FROM_STEP,
    LABEL_MOST,
    REASSESS_AFTER,
    TOCILIZUMAB_OVER,
    hours,
)
from grading.engine.units import format_number
from grading.engine.vocabulary import RiskQuestion, TreatmentAgent
from patients.display.assessment import grade_number, missing_for_grade_0, missing_text
from patients.display.grade_changes import cause_of
from patients.display.signature import signature_of
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
from patients.guidance.tasks import RISK_QUESTIONS, Task, risk_task, tasks_of
from patients.queries.grades import EntryAuthor, GradeChangeRow, GradeHistory
from patients.queries.status import CourseStatus, read_authors, read_history_for, weights_among


def slug_of(code: str) -> str:
    """Return the HTML id of the item with this code."""
    return f"item-{code.replace('.', '-').replace('_', '-')}"


class InputLine(NamedTuple):
    """Value that an item was computed from; ``at`` and ``author`` where it comes from an entry."""

    what: str
    value: str
    at: datetime | None
    author: str


class AnsweredLine(NamedTuple):
    """Latest answer to an item. ``why_again``: why it is asked again, "" while the answer stays."""

    answer_id: UUID
    text: str
    author: str
    at: datetime
    why_again: str


class DoseChoice(NamedTuple):
    """A dose that can be chosen on a card: its amount in mg, and where it comes from."""

    amount_mg: str
    source: str


class ItemCard(NamedTuple):
    """One guidance item.

    ``slug`` is its HTML id, ``next_at`` the time that it counts down to; ``is_due``: by time alone
    it is asked now. ``grade`` is that of the advice, which an answer sends along.
    """

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
    doses: tuple[DoseChoice, ...]
    tasks: tuple[Task, ...]
    answered: AnsweredLine | None
    next_at: datetime | None
    is_due: bool
    grade: int

    @property
    def is_open(self) -> bool:
        """Whether the item waits for an answer: it has none, or is asked again."""
        return self.answered is None or bool(self.answered.why_again)

    @property
    def answers_in_sight(self) -> bool:
        """Whether the answer buttons are on the card itself; else they are inside its details."""
        return self.is_open and (self.indicator != Indicator.INFO or self.proposes_dose)

    @property
    def seen(self) -> str:
        """The optimistic-lock token of an answer: the id of the answer before it, or ""."""
        return "" if self.answered is None else str(self.answered.answer_id)


@dataclass(frozen=True, slots=True)
class GradeRiseAlert:
    """Alert that the grade rose to its present value; dismissed for a browser tab, by ``key``.

    ``shown_before`` is "–" where the course was not assessed before.
    """

    key: str
    at: datetime
    before: int
    shown_before: str
    grade: int
    text: str


@dataclass(frozen=True, slots=True)
class GuidancePanel:
    """Guidance for a course at ``as_of``; ``next_at`` is when it changes by time alone.

    ``asked`` and ``answered`` are the items, ``questions`` and ``answered_questions`` the risk
    questions of the algorithm.
    """

    course_id: UUID
    as_of: datetime
    grade: int | None
    asked: Sequence[ItemCard]
    answered: Sequence[ItemCard]
    questions: Sequence[Task]
    answered_questions: Sequence[Task]
    rise: GradeRiseAlert | None
    next_at: datetime | None
    missing: tuple[str, ...]
    signature: str

    @property
    def not_assessed_text(self) -> str:
        """What must be charted before a grade 0 is known; "" where it is."""
        return missing_text(self.missing) if self.missing else ""

    @property
    def first(self) -> ItemCard | None:
        """The most urgent item that waits for an answer."""
        return next(iter(self.asked), None)

    @property
    def open(self) -> list[ItemCard]:
        """The cards in sight.

        What became due by time comes first, and leaves one place to the most urgent of the others;
        then come a dose to choose or a time to wait for, and what else is urgent.
        """
        waiting = [card for card in self.asked if card.doses or card.next_at]
        urgent = [c for c in self.asked if c.indicator != Indicator.INFO and c not in waiting]
        due = sorted((c for c in urgent if c.is_due), key=lambda c: c.code not in _DUE_BY_TIME)
        first = due[: _OPEN_AT_MOST - 1]
        others = [card for card in urgent if card not in first]
        return [*first, *others[:1], *waiting, *others[1:]][:_OPEN_AT_MOST]

    @property
    def folded(self) -> list[ItemCard]:
        """The other cards that wait for an answer."""
        shown = {card.code for card in self.open}
        return [card for card in self.asked if card.code not in shown]

    @property
    def folded_label(self) -> str:
        """What is one tap away: "4 more, 2 answered"; "" for nothing."""
        counts = ((len(self.folded), "more"), (len(self.answered), "answered"))
        return ", ".join(f"{count} {word}" for count, word in counts if count)


_OPEN_AT_MOST: Final = 3
"""How many cards are open; the others are one tap away."""
_DUE_BY_TIME: Final = (REASSESS, STALE)
"""The items that are asked because a time has passed, without an answer or a new value."""
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
    """Build the panel from a status and a grade history that were read already."""
    return build_panel(advice_of(status, history), history, unchanged)


def build_panel(
    advice: Advice, history: GradeHistory, unchanged: Sequence[UnchangedItem]
) -> GuidancePanel:
    """Build the panel of ``advice``.

    ``history`` has the authors read so far, by entry id; those of other entries that an item used
    are read here. ``unchanged`` are the entries that can be charted again unchanged.
    """
    course, status = advice.course, advice.status
    authors = _authors(advice, history.authors)
    risk = risk_answers(advice)
    cards = [_card(item, advice, authors, risk, unchanged) for item in advice.items]
    questions = list(_questions(advice, risk, authors))
    rise, next_at = _rise(advice, history.rise), _next_at(advice)
    missing = missing_for_grade_0(status)
    return GuidancePanel(
        course_id=course.pk,
        as_of=status.at,
        grade=status.grade,
        asked=[card for card in cards if card.is_open],
        answered=[card for card in cards if not card.is_open],
        questions=[task for task in questions if not task.answer_in_force],
        answered_questions=[task for task in questions if task.answer_in_force],
        rise=rise,
        next_at=next_at,
        missing=missing,
        signature=signature_of(
            status.grade, missing, cards, questions, rise, next_at, day_of(status.at)
        ),
    )


def _authors(advice: Advice, known: Mapping[str, EntryAuthor]) -> dict[str, EntryAuthor]:
    """Return the authors of the entries that the items and questions used, by entry id."""
    used = {used.entry_id for item in advice.items for used in item.inputs if used.entry_id}
    of_entries = {str(row.pk): EntryAuthor(row.author, row.at) for row in advice.entry_rows}
    authors = {**known, **of_entries}
    return authors | read_authors(used - authors.keys())


def _card(
    item: Item,
    advice: Advice,
    authors: Mapping[str, EntryAuthor],
    risk: Mapping[RiskQuestion, tuple[bool, str]],
    unchanged: Sequence[UnchangedItem],
) -> ItemCard:
    now = advice.status.at
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
        inputs=tuple(_input_line(used, authors, now) for used in item.inputs),
        unknown=tuple(item.unknown),
        replies=tuple(reply.value for reply in item.answers),
        charts=item.code in CHARTED_BY_DONE,
        proposes_dose=item.dose_mg is not None,
        doses=dose_choices(item, advice.status.weight_kg),
        tasks=tasks_of(item, advice.status, answered, unchanged),
        answered=_answered_line(item, advice),
        next_at=_reassessment_due(advice) if item.code == "tocilizumab.awaiting" else None,
        is_due=_is_due(item, advice),
        grade=advice.status.grade or 0,
    )


def _is_due(item: Item, advice: Advice) -> bool:
    """Return whether a time has passed at which ``item`` is asked, or asked again."""
    answer = advice.answers.get(item.code)
    returns_at = None if answer is None else answer.returns_at
    has_returned = returns_at is not None and returns_at <= advice.status.at
    return has_returned or item.code in _DUE_BY_TIME


def dose_choices(item: Item, weight_kg: Decimal | None) -> tuple[DoseChoice, ...]:
    """Return the doses of ``item`` of which one is chosen: the paper's, and today's label's.

    Empty for an item whose dose is not of two sources.
    """
    if item.agent is not TreatmentAgent.TOCILIZUMAB or item.dose_mg is None or not weight_kg:
        return ()
    over = f"over {TOCILIZUMAB_OVER.value}\u00a0h"
    by_weight = _dose_rule(item.dose_mg, weight_kg)
    choices = [DoseChoice(format_number(item.dose_mg), f"Lee 2014: {by_weight}, {over}")]
    if item.label_mg is not None:
        # The label alone has a highest dose.
        is_limited = LABEL_FROM_STEP.value * weight_kg > LABEL_MOST.value
        limited = f"at most {LABEL_MOST.value}\u00a0mg a dose"
        rule = limited if is_limited else _dose_rule(item.label_mg, weight_kg)
        text = f"US label today: {rule}, {over}"
        choices.append(DoseChoice(format_number(item.label_mg), text))
    return tuple(choices)


def _dose_rule(dose_mg: Decimal, weight_kg: Decimal) -> str:
    """Return how a dose follows from the weight."""
    per_kg = format_number(dose_mg / weight_kg, 1)
    return f"{per_kg}\u00a0mg/kg × {format_number(weight_kg)}\u00a0kg"


def _input_line(used: Input, authors: Mapping[str, EntryAuthor], now: datetime) -> InputLine:
    """Build the line of ``used``; its time is cut off the value, as the line shows it apart."""
    author = authors.get(used.entry_id or "")
    if author is None:
        return InputLine(used.what, used.value, None, "")
    value = used.value
    if ", " in value:
        value = value.removesuffix(f", {clock_text(author.at, now)}")
    return InputLine(used.what, value, author.at, author.name)


def _answered_line(item: Item, advice: Advice) -> AnsweredLine | None:
    answer = advice.answers.get(item.code)
    if answer is None:
        return None
    return AnsweredLine(
        answer_id=answer.pk,
        text=answer_text(answer),
        author=answer.author,
        at=answer.recorded_at,
        why_again=why_asked_again(item, answer, advice),
    )


def _questions(
    advice: Advice,
    risk: Mapping[RiskQuestion, tuple[bool, str]],
    authors: Mapping[str, EntryAuthor],
) -> Iterable[Task]:
    """Yield the risk questions: those that are answered, and those that are asked at this grade.

    While the two that decide the branch at grade 2 are open, an item of their own asks them.
    """
    grade = advice.status.grade
    for question in RISK_QUESTIONS:
        present, entry_id = risk.get(question, (None, ""))
        if present is not None:
            author = authors[entry_id]
            note = f"{clock_text(author.at, advice.status.at)}, {author.name}"
            yield risk_task(question, present, note)
        elif question is RiskQuestion.CHRONIC_CORTICOSTEROIDS and grade in (2, 3, 4):
            yield risk_task(question, None, "Stress-dose hydrocortisone depends on it")


def _rise(advice: Advice, stored: GradeChangeRow | None) -> GradeRiseAlert | None:
    """Return the last rise to a new highest grade, if recent and without a fall since.

    ``stored`` is that rise with the findings of its period: they name the cause, not those of now.
    """
    now = advice.status.at
    if stored is None or now - stored.at >= _INTERRUPTS_FOR:
        return None
    since = [interval for interval in advice.intervals if interval.start >= stored.at]
    if any(interval.grade < stored.grade for interval in since):
        return None
    before = grade_number(stored.before, assessed=stored.assessed_before)
    key = f"{advice.course.pk}:{stored.grade}:{stored.at:%Y%m%dT%H%M%S%f}"
    return GradeRiseAlert(key, stored.at, stored.before, before, stored.grade, cause_of(stored))


def _next_at(advice: Advice) -> datetime | None:
    """Return when the panel changes next by time alone; changes of grade are left to the card."""
    now = advice.status.at
    instants = [answer.returns_at for answer in advice.answers.values() if answer.returns_at]
    for treatment in advice.treatments:
        wait = REASSESS_AFTER if treatment.agent is TreatmentAgent.TOCILIZUMAB else JUST_GIVEN
        instants.append(treatment.at + hours(wait))
    return min((instant for instant in instants if instant > now), default=None)


def _reassessment_due(advice: Advice) -> datetime | None:
    """Return when the latest tocilizumab dose is to be reassessed."""
    last = last_tocilizumab(advice)
    return None if last is None else last.at + hours(REASSESS_AFTER)

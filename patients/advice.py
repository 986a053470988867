"""Guidance as it is read: what is advised on a course now, and what was answered to it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from grading.engine.algorithm import Indicator, Input, Item, Reply
from grading.engine.algorithm.evidence import JUST_GIVEN, REASSESS_AFTER, hours
from grading.engine.entries import Entry, Risk, Treatment
from grading.engine.vocabulary import RiskQuestion, TreatmentAgent
from grading.guidance import GuidanceAnswer as AnswerGiven
from grading.guidance import advise
from grading.service import Standing
from patients.display.text import clock_text, day_of
from patients.display.timeline import answer_text
from patients.forms.unchanged import CarriedOn, carried_on
from patients.guidance_panels import (
    AnsweredLine,
    GuidancePanel,
    InputLine,
    ItemCard,
    Rise,
    Task,
    slug_of,
)
from patients.guidance_tasks import RISK_ASKED, risk_task, tasks_of
from patients.models import Course
from patients.queries.entries import EntryRow, all_charted, facts_of
from patients.queries.grades import Author, Held, Stretch, grades_held
from patients.queries.guidance_answers import AnswerRow
from patients.queries.policies import rulings_for
from patients.queries.status import Reading, authors_of, held_beside, reading_of, weights_among

CHARTED_BY_DONE: Final[Mapping[str, tuple[TreatmentAgent, ...]]] = {
    "support.vigilant": (TreatmentAgent.ANTIPYRETIC,),
    "infection.workup": (TreatmentAgent.ANTIBIOTICS,),
    "immunosuppression.consider": (
        TreatmentAgent.TOCILIZUMAB,
        TreatmentAgent.METHYLPREDNISOLONE,
        TreatmentAgent.DEXAMETHASONE,
    ),
    "immunosuppression.indicated": (
        TreatmentAgent.TOCILIZUMAB,
        TreatmentAgent.METHYLPREDNISOLONE,
        TreatmentAgent.DEXAMETHASONE,
    ),
    "tocilizumab.dose": (TreatmentAgent.TOCILIZUMAB,),
    "tocilizumab.reassess": (
        TreatmentAgent.TOCILIZUMAB,
        TreatmentAgent.METHYLPREDNISOLONE,
        TreatmentAgent.DEXAMETHASONE,
    ),
    "corticosteroid.first_line": (
        TreatmentAgent.DEXAMETHASONE,
        TreatmentAgent.METHYLPREDNISOLONE,
    ),
    "dexamethasone.dose": (TreatmentAgent.DEXAMETHASONE,),
    "methylprednisolone.dose": (TreatmentAgent.METHYLPREDNISOLONE,),
    "hydrocortisone.stress": (TreatmentAgent.HYDROCORTISONE,),
    "second_agents.not_routine": (
        TreatmentAgent.ETANERCEPT,
        TreatmentAgent.INFLIXIMAB,
        TreatmentAgent.ANAKINRA,
    ),
}
"""What *done* to an item can chart, by its code; an item that is not here charts nothing."""
_ASKED_ANEW_BY_A_DOSE: Final = ("tocilizumab.", "immunosuppression.")
_INTERRUPTS_FOR: Final = timedelta(hours=24)
_INDICATORS: Final = {
    Indicator.CRITICAL: "Critical",
    Indicator.WARNING: "Warning",
    Indicator.INFO: "For information",
}


@dataclass(frozen=True, slots=True)
class Advised:
    """What is advised on a course where it stands, and what that rests on.

    ``given`` are the entries that guidance needs, ``read`` the same in grading's words.
    """

    course: Course
    standing: Standing
    items: tuple[Item, ...]
    answers: Mapping[str, AnswerRow]
    stretches: Sequence[Stretch]
    given: Sequence[EntryRow]
    read: Sequence[Entry]

    @property
    def treatments(self) -> list[Treatment]:
        """Every treatment charted up to now, earliest first."""
        return [e for e in self.read if isinstance(e, Treatment) and e.at <= self.standing.at]


def advised_on(course: Course, now: datetime) -> Advised:
    """What is advised on ``course`` at ``now``: computed, never cached."""
    return _advised_in(reading_of(course, now), grades_held(course.pk, now))


def _advised_in(reading: Reading, held: Held) -> Advised:
    return advised_by(
        reading.course,
        reading.standing,
        held.grades,
        reading.for_guidance,
        reading.answers,
    )


def advised_by(
    course: Course,
    standing: Standing,
    stretches: Sequence[Stretch],
    given: Sequence[EntryRow],
    answers: Mapping[str, AnswerRow],
) -> Advised:
    """What is advised on a course that stands at ``standing``.

    By the grades held, the entries that guidance needs, and the latest answer to each item.
    """
    read = all_charted(given)
    items = advise(
        facts_of(course, rulings_for(course, ())),  # the policy in force is the standing's
        standing,
        read,
        stretches,
        answers=[
            AnswerGiven(answer.code, Reply(answer.reply), answer.recorded_at)
            for answer in answers.values()
        ],
        timezone=timezone.get_current_timezone(),
    )
    return Advised(course, standing, items, answers, stretches, given, read)


def panel_of(reading: Reading) -> GuidancePanel:
    """The guidance panel of a course that was read."""
    held = held_beside(reading.course.pk, reading.standing)
    return panel_beside(reading, held, carried_on(reading.standing, weights_among(held.weights)))


def panel_beside(reading: Reading, held: Held, can_go_on: Sequence[CarriedOn]) -> GuidancePanel:
    """``panel_of`` with the grades held and what a round may find unchanged at hand."""
    return panel_on(_advised_in(reading, held), held.authors, can_go_on)


def panel_on(
    advised: Advised, known: Mapping[str, Author], can_go_on: Sequence[CarriedOn]
) -> GuidancePanel:
    """The panel of what is advised.

    ``known`` are authors at hand, those of other entries that an item used are read; ``can_go_on``
    is what a round may find unchanged.
    """
    course, standing = advised.course, advised.standing
    authors = _authors(advised, known)
    risk = _risk_answers(advised)
    cards = [_card(item, advised, authors, risk, can_go_on) for item in advised.items]
    questions = list(_questions(advised, risk, authors))
    rise, next_at = _rise(advised), _next_at(advised)
    return GuidancePanel(
        course_id=course.pk,
        as_of=standing.at,
        grade=standing.grade,
        asked=[card for card in cards if card.is_open],
        answered=[card for card in cards if not card.is_open],
        questions=[task for task in questions if not task.told],
        told=[task for task in questions if task.told],
        rise=rise,
        next_at=next_at,
        signature=_signature(standing.grade, cards, questions, rise, next_at, day_of(standing.at)),
    )


def _authors(advised: Advised, known: Mapping[str, Author]) -> dict[str, Author]:
    """Who charted what the items and the questions used."""
    used = {used.entry_id for item in advised.items for used in item.inputs if used.entry_id}
    given = {str(row.pk): Author(row.author, row.at) for row in advised.given}
    at_hand = {**known, **given}
    return at_hand | authors_of(used - at_hand.keys())


def _card(
    item: Item,
    advised: Advised,
    authors: Mapping[str, Author],
    risk: Mapping[RiskQuestion, tuple[bool, str]],
    can_go_on: Sequence[CarriedOn],
) -> ItemCard:
    now = advised.standing.at
    answered = {question: present for question, (present, _) in risk.items()}
    return ItemCard(
        code=item.code,
        slug=slug_of(item.code),
        indicator=item.indicator.value,
        indicator_label=_INDICATORS[item.indicator],
        summary=item.summary,
        detail=item.detail,
        beside=item.beside,
        citation=item.citation,
        inputs=tuple(_input(used, authors, now) for used in item.inputs),
        unknown=tuple(item.unknown),
        replies=tuple(reply.value for reply in item.answers),
        charts=item.code in CHARTED_BY_DONE,
        proposes_dose=item.dose_mg is not None,
        tasks=tasks_of(item, advised.standing, answered, can_go_on),
        answered=_answered(item, advised),
        next_at=_due(advised) if item.code == "tocilizumab.awaiting" else None,
    )


def _input(used: Input, authors: Mapping[str, Author], now: datetime) -> InputLine:
    """The value without the time that the line gives apart from it."""
    author = authors.get(used.entry_id or "")
    if author is None:
        return InputLine(used.what, used.value, None, "")
    value = used.value
    if ", " in value:
        value = value.removesuffix(f", {clock_text(author.at, now)}")
    return InputLine(used.what, value, author.at, author.name)


def _answered(item: Item, advised: Advised) -> AnsweredLine | None:
    answer = advised.answers.get(item.code)
    if answer is None:
        return None
    return AnsweredLine(
        answer_id=answer.pk,
        text=answer_text(answer),
        author=answer.author,
        at=answer.recorded_at,
        why_again=_why_again(item, answer, advised),
    )


def _why_again(item: Item, answer: AnswerRow, advised: Advised) -> str:
    """Why an answer no longer holds: "" while it does."""
    now = advised.standing.at
    if answer.returns_at is not None and answer.returns_at <= now:
        return f"asked again since {clock_text(answer.returns_at, now)}"
    if (risen := _risen_since(answer, advised)) is not None:
        return f"asked again: grade {risen}"
    if answer.charted_anew:
        return "asked again: what it charted was taken back or corrected"
    if answer.charted and item.dose_mg is not None:
        return "asked again: another dose is worked out"
    if item.code.startswith(_ASKED_ANEW_BY_A_DOSE):
        last = _last_tocilizumab(advised)
        if last is not None and last.recorded_at > answer.recorded_at:
            return "asked again: tocilizumab was given since"
    return ""


def _risen_since(answer: AnswerRow, advised: Advised) -> str | None:
    """The change of grade upwards since ``answer``, by the clock or by what was charted later."""
    before, risen = None, None
    for stretch in advised.stretches:
        rose = before is not None and stretch.grade > before
        if rose and stretch.start > answer.recorded_at:
            risen = (
                f"{before} to {stretch.grade} at {clock_text(stretch.start, advised.standing.at)}"
            )
        before = stretch.grade
    grade = advised.standing.grade
    if risen is None and grade is not None and grade > answer.grade:
        risen = f"{answer.grade} to {grade} by what was charted since"
    return risen


def _risk_answers(advised: Advised) -> dict[RiskQuestion, tuple[bool, str]]:
    """The answers that hold, each with its entry."""
    answers = {}
    for entry in advised.read:
        if isinstance(entry, Risk) and entry.at <= advised.standing.at:
            for question in RiskQuestion:
                if (present := getattr(entry, question.value)) is not None:
                    answers[question] = (present, entry.id)
    return answers


def _questions(
    advised: Advised,
    risk: Mapping[RiskQuestion, tuple[bool, str]],
    authors: Mapping[str, Author],
) -> Iterable[Task]:
    """The algorithm's questions: those answered, to be changed, and those asked at this grade.

    The two that decide the branch at grade 2 are asked by their own item while they are open.
    """
    grade = advised.standing.grade
    for question in RISK_ASKED:
        present, entry_id = risk.get(question, (None, ""))
        if present is not None:
            author = authors[entry_id]
            told = f"{clock_text(author.at, advised.standing.at)}, {author.name}"
            yield risk_task(question, present, told)
        elif question is RiskQuestion.CHRONIC_CORTICOSTEROIDS and grade in (2, 3, 4):
            yield risk_task(
                question, None, "Asked because stress-dose hydrocortisone depends on it"
            )


def _rise(advised: Advised) -> Rise | None:
    """The first change up to the grade that holds since, while it is recent."""
    grade, now = advised.standing.grade, advised.standing.at
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
    deciding = (c.explanation for c in advised.standing.criteria if c.grade == grade)
    key = f"{advised.course.pk}:{risen_to}"
    return Rise(key, at, before, risen_to, next(deciding, ""))


def _next_at(advised: Advised) -> datetime | None:
    """When the clock alone changes what is asked; changes of grade are the grade card's."""
    now = advised.standing.at
    instants = [answer.returns_at for answer in advised.answers.values() if answer.returns_at]
    for treatment in advised.treatments:
        wait = REASSESS_AFTER if treatment.agent is TreatmentAgent.TOCILIZUMAB else JUST_GIVEN
        instants.append(treatment.at + hours(wait))
    return min((instant for instant in instants if instant > now), default=None)


def _due(advised: Advised) -> datetime | None:
    """When the latest tocilizumab is to be reassessed."""
    last = _last_tocilizumab(advised)
    return None if last is None else last.at + hours(REASSESS_AFTER)


def _last_tocilizumab(advised: Advised) -> Treatment | None:
    doses = [t for t in advised.treatments if t.agent is TreatmentAgent.TOCILIZUMAB]
    return doses[-1] if doses else None


def _signature(*shown: Any) -> str:
    """Changes with anything that the panel prints; a time of day has its date on another day."""
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]

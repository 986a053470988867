"""All evidence of one instant: the rules not met, the advice, and the grades around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from grading.engine import entries
from grading.engine.grading_system import DEATH
from grading.engine.sentences import short_name
from grading.engine.status import CurrentStatus
from grading.engine.vocabulary import DRUGS, JudgementAbout
from grading.systems import HEADLINE
from patients.display.author import author_text
from patients.display.text import entry_text, short_value, temperature_text
from patients.display.value_strip import pressure_reading
from patients.guidance.panel import ItemCard, panel_for_status
from patients.queries.grades import EntryAuthor, GradeHistory, GradeInterval, GradePeriodRow
from patients.queries.guidance_answers import AnswerRow
from patients.queries.known_at import CourseKnownAt
from patients.queries.reviews import Run
from patients.queries.status import CourseStatus
from patients.review.page import runs_of


@dataclass(frozen=True, slots=True)
class RuleNotMet:
    """A rule of the table that was checked and not met; ``text`` is what was found."""

    code: str
    name: str
    grade: int
    text: str


def rules_not_met(status: CurrentStatus) -> list[RuleNotMet]:
    """Return the rules that were not met, highest grade first; none where nothing is graded."""
    if status.grade is None:
        return []
    met = {item.code for item in status.criteria}
    grades = HEADLINE.grades_under(status.policy)
    rules = [
        RuleNotMet(code, short_name(code), grade, _found(code, status))
        for code, grade in grades.items()
        if code not in met and code != DEATH
    ]
    return sorted(rules, key=lambda rule: -rule.grade)


def _found(code: str, status: CurrentStatus) -> str:
    subject = code.partition(".")[0]
    own = HEADLINE.rules[code].grade
    if any(item.code.startswith(f"{subject}.") and item.grade > own for item in status.criteria):
        return "a higher rule of this kind is met"
    return _FOUND[subject](status, code)


def _oxygen(status: CurrentStatus, _code: str) -> str:
    entry = status.latest.get("oxygen")
    return "no oxygen charted" if entry is None else entry_text(entry)


def _pressure(status: CurrentStatus, code: str) -> str:
    if code == "hypotension.fluid_bolus":
        bolus = status.latest.get("fluid_bolus")
        return "none charted" if bolus is None else f"{entry_text(bolus)}: no longer counted"
    if code == "hypotension.refractory":
        return _judged(status, JudgementAbout.REFRACTORY_HYPOTENSION)
    reading = pressure_reading(status.latest)
    if reading is None:
        return "no blood pressure charted"
    label, text, _ = short_value(reading.key, reading.entry)
    return f"{label} {text}"


def _vasopressors(status: CurrentStatus, _code: str) -> str:
    running = [
        entry_text(entry, status.weight_kg)
        for entry in status.latest.values()
        if isinstance(entry, entries.Vasopressor) and entry.runs and DRUGS[entry.drug].counted
    ]
    return "; ".join(running) or "none runs"


def _judged(status: CurrentStatus, about: JudgementAbout) -> str:
    entry = status.latest.get(f"judgement.{about}")
    return "not judged" if entry is None else entry_text(entry)


def _life_threatening(status: CurrentStatus, _code: str) -> str:
    return _judged(status, JudgementAbout.LIFE_THREATENING)


def _organs(_status: CurrentStatus, _code: str) -> str:
    return "none that counts"


def _symptoms(status: CurrentStatus, code: str) -> str:
    if code == "symptom.constitutional":
        return "none present"
    reading = status.latest.get("temperature_c")
    if isinstance(reading, entries.Vitals):
        return f"Temperature {temperature_text(reading)}"
    return "no temperature charted"


_FOUND: Final[Mapping[str, Callable[[CurrentStatus, str], str]]] = {
    "oxygen": _oxygen,
    "ventilator": _oxygen,
    "hypotension": _pressure,
    "vasopressor": _vasopressors,
    "life_threatening": _life_threatening,
    "organ_toxicity": _organs,
    "symptom": _symptoms,
}
"""What was found, by the first part of a rule's code."""


@dataclass(frozen=True, slots=True)
class AdviceLine:
    """An item of guidance at the instant; ``state`` says whether and how it was answered."""

    indicator: str
    indicator_label: str
    summary: str
    state: str
    is_open: bool


def advice_lines(known: CourseKnownAt, status: CourseStatus) -> list[AdviceLine]:
    """Return the guidance at the instant of ``status``, what was open first."""
    panel = panel_for_status(status, history_known_at(known, status.current.at), ())
    later = {answer.code: answer for answer in known.answers_by(known.known_at).values()}
    authors = {one.pk: author_text(one.author, one.author_role) for one in known.answers}
    return [_line(card, later.get(card.code), authors) for card in (*panel.asked, *panel.answered)]


def _line(card: ItemCard, later: AnswerRow | None, authors: Mapping[UUID, str]) -> AdviceLine:
    if card.answered is not None and not card.is_open:
        state = f"{card.answered.text}, {authors[card.answered.answer_id]}"
    elif later is not None and (card.answered is None or later.pk != card.answered.answer_id):
        state = f"Open then. Answered later by {authors[later.pk]}"
    else:
        state = "Open"
    return AdviceLine(
        card.indicator, card.indicator_label, card.summary, state, is_open=card.is_open
    )


def history_known_at(known: CourseKnownAt, at: datetime) -> GradeHistory:
    """Return the grades up to ``at`` with the authors of all entries, as they were known."""
    return GradeHistory(
        grades=[
            GradeInterval(period.start, period.end, period.grade)
            for period in known.periods
            if period.start <= at
        ],
        authors={str(row.pk): EntryAuthor(row.author, row.at) for row in known.rows},
        weights=[row for row in known.rows if row.kind == "weight"],
        may_have_answers=bool(known.answers),
        latest_entry_at=None,
        latest_other_at=None,
        recent=[],
    )


def neighbours(
    periods: Sequence[GradePeriodRow], at: datetime, until: datetime
) -> tuple[Run | None, Run | None]:
    """Return the runs before and after the one that holds at ``at``, up to ``until``."""
    runs = [run for run in runs_of(periods) if run.start <= until]
    before = [run for run in runs if run.end is not None and run.end <= at]
    after = [run for run in runs if run.start > at]
    return (before[-1] if before else None), (after[0] if after else None)

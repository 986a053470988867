"""What a row of the board says is to be done: what is late, asked, planned, and comes next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from grading.engine.algorithm.tree import EARLIER_TREATMENT
from grading.engine.analytes import Analyte
from grading.engine.entries import Risk
from grading.engine.times import moved
from patients.display.ice_due import TOOL_NAMES, IceDue
from patients.display.text import clock_text, duration_text

SHOWN: Final = 2
"""How many tags a row shows; the others are a number."""
LATE: Final = "late"
ASKED: Final = "asked"
PLANNED: Final = "planned"
COMING: Final = "coming"

QUESTIONS: Final[Mapping[str, str]] = {
    "oxygen.fio2": "FiO2 or flow not entered",
    "oxygen.fio2_estimated": "FiO2 only estimated",
    "hypotension.relative": "Low for this patient?",
    "hypotension.no_baseline": "No baseline pressure",
    "hypotension.no_systolic": "No systolic pressure",
    "hypotension.refractory": "Refractory?",
    "life_threatening": "Life-threatening?",
    "vasopressor.dose": "Dose unknown",
    "organ_toxicity.ungraded": "CTCAE grade not entered",
}
"""What is not known and could raise the grade, in the words of a row, by its code."""
_GRADE_OF_RISK: Final = 2


class Observations(NamedTuple):
    """When observations are due; ``what`` names those that are late, or that come next."""

    what: str
    due_at: datetime
    is_late: bool


class Tag(NamedTuple):
    """One thing to do; ``late_since`` is set where it is late, and ``late`` says for how long."""

    level: str
    text: str
    late_since: datetime | None = None
    late: str = ""


def observations_due(
    temperature_at: datetime | None,
    pressure_at: datetime | None,
    infused_at: datetime,
    interval: timedelta | None,
    now: datetime,
) -> Observations | None:
    """Return when the next set is due; None where none is, as after a death.

    A set has a temperature and a pressure, so that one of them alone does not put off the other.
    Before the first of a sign its time runs from the infusion.
    """
    if interval is None:
        return None
    due = {
        name: moved(max(at or infused_at, infused_at), interval)
        for name, at in (("Temp", temperature_at), ("BP", pressure_at))
    }
    late = [name for name, at in due.items() if at <= now]
    what = late[0] if len(late) == 1 else "Obs"
    if temperature_at is None and pressure_at is None:
        what = "First set"
    return Observations(what, min(due.values()), bool(late))


def questions_of(findings: Mapping[str, Any], grade: int) -> list[str]:
    """Return what is not known and could raise the grade, what could raise it most first."""
    unknown = [one for one in findings["unknown"] if one["could_reach"] > grade]
    unknown.sort(key=lambda one: -int(one["could_reach"]))
    return [_question(one["code"]) for one in unknown]


def _question(code: str) -> str:
    analyte = code.removeprefix("lab.")
    if analyte != code:
        return f"{Analyte(analyte).label}: range not entered"
    return QUESTIONS[code]


def risk_questions(risks: Iterable[Risk], grade: int) -> list[str]:
    """Return the open questions of Figure 2 that decide at grade 2, as one text."""
    if grade != _GRADE_OF_RISK:
        return []
    answered = {
        question
        for risk in risks
        for question in EARLIER_TREATMENT
        if getattr(risk, question.value) is not None
    }
    count = len(EARLIER_TREATMENT) - len(answered)
    return [f"{count} risk question{'s' if count > 1 else ''}"] if count else []


def tags_of(
    observations: Observations | None,
    ice: IceDue | None,
    check: tuple[datetime, bool] | None,
    questions: Iterable[str],
    now: datetime,
) -> tuple[Tag, ...]:
    """Return the tags of a row: late first, then what is asked, planned, and comes next.

    ``ice`` is when the next ICE or CAPD is due; it stands after what decides the grade. ``check``
    is when the patient is looked at 24 h after tocilizumab, and whether that is asked.
    """
    late, assess, planned = [], [], []
    coming: list[tuple[datetime, str]] = []
    if observations is not None:
        if observations.is_late:
            late.append(_late(observations.what, observations.due_at, now))
        else:
            coming.append((observations.due_at, "Obs"))
    if ice is not None:
        tool = TOOL_NAMES[ice.tool]
        if ice.is_due:
            assess.append(_late(tool, ice.due_at, now))
        else:
            coming.append((ice.due_at, tool))
    if check is not None:
        check_at, is_asked = check
        if is_asked:
            late.append(_late("24-h check", check_at, now))
        else:
            planned.append(Tag(PLANNED, f"24-h check {clock_text(check_at, now)}"))
    asked = [Tag(ASKED, question) for question in questions]
    found = late + asked + assess + planned
    next_up = [Tag(COMING, f"{what} due {clock_text(at, now)}") for at, what in sorted(coming)]
    return tuple(found or next_up)


def _late(what: str, due_at: datetime, now: datetime) -> Tag:
    return Tag(LATE, what, due_at, late_text(due_at, now))


def late_text(due_at: datetime, now: datetime) -> str:
    """Return for how long something is late; ``clock.js`` has the same rule."""
    late = now - due_at
    return "due now" if late < timedelta(minutes=1) else f"{duration_text(late)} late"

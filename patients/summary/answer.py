"""An answer of the summary, and how times and amounts are written in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any, Final

from grading.engine.units import Number, as_decimal

ITEMS_REVISION: Final = "1"
"""Counted up where an item gets another name or another meaning."""
_MINUTES_OF_DAY: Final = 24 * 60


class Section(Enum):
    """A group of questions; the value is its heading."""

    COURSE = "Onset and course"
    SUPPORT = "Support"
    TREATMENT = "Treatment"
    OTHER = "Other toxicity"


class State(Enum):
    """Whether a question has an answer; *not known* is never *no*."""

    YES = "yes"
    NO = "no"
    ANSWERED = "answered"
    NOT_KNOWN = "not_known"
    NOT_STATED = "not_stated"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class GradeTime:
    """A grade, None for a time that was not assessed, and how long it was in force."""

    grade: int | None
    time: timedelta

    @property
    def text(self) -> str:
        return time_text(self.time)


@dataclass(frozen=True, slots=True)
class Answer:
    """One question with its answer and what it rests on.

    ``key`` is our name of the item, ``value`` the answer as JSON has it, with every digit.
    ``details`` are sentences under the answer. ``evidence`` are ids of entries, ``instants`` times
    whose page explains the answer, and ``why`` says why where no entry does.
    """

    key: str
    section: Section
    question: str
    state: State
    text: str
    value: Any = None
    details: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    instants: tuple[tuple[datetime, str], ...] = ()
    why: tuple[str, ...] = ()
    grade: int | None = None
    times: tuple[GradeTime, ...] = ()

    @property
    def is_known(self) -> bool:
        return self.state not in (State.NOT_KNOWN, State.NOT_STATED)


def not_known(
    key: str, section: Section, question: str, *why: str, details: Iterable[str] = ()
) -> Answer:
    return Answer(
        key, section, question, State.NOT_KNOWN, "not known", details=tuple(details), why=why
    )


def times_at_grades(
    key: str,
    section: Section,
    question: str,
    grades: Mapping[int, timedelta],
    not_assessed: timedelta,
    *,
    why: str,
) -> Answer:
    """Return the answer to how long each grade was in force, and how long none was assessed."""
    times = [GradeTime(grade, time) for grade, time in grades.items() if time]
    if not_assessed:
        times.append(GradeTime(None, not_assessed))
    value = {f"grade_{grade}_s": seconds(time) for grade, time in grades.items()}
    value["not_assessed_s"] = seconds(not_assessed)
    text = "" if times else "under 1 min"
    return Answer(
        key, section, question, State.ANSWERED, text, value, why=(why,), times=tuple(times)
    )


def time_text(duration: timedelta) -> str:
    """Return a length of time to the minute: "2 d 3 h 20 min", "45 min"."""
    minutes = duration // timedelta(minutes=1)
    if minutes == 0:
        return "under 1 min" if duration else "0 min"
    days, rest = divmod(minutes, _MINUTES_OF_DAY)
    hours, left = divmod(rest, 60)
    parts = ((days, "d"), (hours, "h"), (left, "min"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def hours_text(duration: timedelta) -> str:
    """Return a length of time in hours and minutes: "41 h 10 min"."""
    minutes = duration // timedelta(minutes=1)
    hours, left = divmod(minutes, 60)
    if not hours:
        return time_text(duration)
    return f"{hours} h {left} min" if left else f"{hours} h"


def seconds(duration: timedelta) -> int | str:
    """Return a length of time in seconds, exactly: as text where they are not whole."""
    whole, rest = divmod(duration, timedelta(seconds=1))
    if not rest:
        return whole
    return str(whole + Decimal(rest // timedelta.resolution).scaleb(-6))


def instant(at: datetime) -> str:
    """Return an instant as JSON has it: ISO 8601 in UTC."""
    return at.astimezone(UTC).isoformat()


def number(value: Number | Fraction | Decimal) -> str:
    """Return an amount exactly: as a decimal number, else as a fraction."""
    exact = value if isinstance(value, Decimal) else as_decimal(Fraction(value))
    if exact is None:
        return str(value)
    text = f"{exact:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text

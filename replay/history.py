"""The grades of one course, small enough to keep and to compare."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

Words = Mapping[str, Any]


class Graded(NamedTuple):
    """Grade and bound from ``seconds`` after the infusion on; both None where grading has ended."""

    seconds: float
    grade: int | None
    at_most: int | None


@dataclass(frozen=True, slots=True)
class History:
    """The grades of a course in order of time.

    ``maximum`` is the highest grade up to the last entry, None where nothing is graded. ``steps``
    are the instants at which grade or bound change. ``digest`` covers the periods with the codes
    and the evidence of their criteria and the codes of what is unknown, not their sentences.
    """

    maximum: int | None
    steps: tuple[Graded, ...]
    digest: str

    def at(self, seconds: float) -> Graded:
        """Return grade and bound at ``seconds`` after the infusion."""
        found = Graded(seconds, None, None)
        for step in self.steps:
            if step.seconds > seconds:
                break
            found = step
        return found

    def as_json(self) -> dict[str, Any]:
        """Return what ``history_from`` reads."""
        steps = [[hours_text(step.seconds), step.grade, step.at_most] for step in self.steps]
        return {"maximum": self.maximum, "steps": steps, "digest": self.digest}


def history_of(answer: Words, infused_at: datetime) -> History:
    """Return the history in ``answer``, an answer of ``python -m grading --format json``."""
    digest = sha256(json.dumps([_reasons(period) for period in answer["periods"]]).encode())
    return History(answer["maximum"], tuple(_steps(answer, infused_at)), digest.hexdigest()[:16])


def history_from(stored: Words) -> History:
    """Return the history that ``History.as_json`` wrote."""
    steps = (Graded(_seconds(text), grade, bound) for text, grade, bound in stored["steps"])
    return History(stored["maximum"], tuple(steps), stored["digest"])


def _reasons(period: Words) -> list[Any]:
    """Return what a period rests on, without the words in which it is shown."""
    span = [period["from"], period["to"], period["grade"], period["at_most"]]
    met = [[one["code"], one["grade"], one["evidence"]] for one in period["criteria"]]
    return [*span, met, [[one["code"], one["could_reach"]] for one in period["unknown"]]]


def _steps(answer: Words, infused_at: datetime) -> Iterator[Graded]:
    periods: Sequence[Words] = answer["periods"]
    last: tuple[int | None, int | None] | None = None
    for period in periods:
        graded = (period["grade"], period["at_most"])
        if graded != last:
            yield Graded(_after(infused_at, period["from"]), *graded)
        last = graded
    if periods and answer["current"]["grade"] is None:
        yield Graded(_after(infused_at, periods[-1]["to"]), None, None)


def _after(infused_at: datetime, text: str) -> float:
    return (datetime.fromisoformat(text) - infused_at) / timedelta(seconds=1)


def hours_text(seconds: float) -> str:
    """Write seconds as hours and minutes, ``26:05``; what is no whole minute keeps its seconds."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}" + (f":{rest:09.6f}" if rest else "")


def _seconds(text: str) -> float:
    hours, minutes, *rest = text.split(":")
    return (int(hours) * 60 + int(minutes)) * 60 + (float(rest[0]) if rest else 0)

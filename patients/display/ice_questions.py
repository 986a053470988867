"""The ten questions of ICE in the words to ask, and what a score means for ICANS on a form."""

from __future__ import annotations

from typing import Final, NamedTuple

from grading.engine.evidence import CAPD_SEVERE_FROM, ICE_GRADES
from grading.engine.policy import Policy
from grading.engine.scale_vocabulary import ICE_HIGHEST


class Question(NamedTuple):
    """One point of ICE: the words to ask, around the one that matters, and what is accepted."""

    name: str
    part: str
    asked: tuple[str, str, str]
    accepted: str

    @property
    def label(self) -> str:
        """The words to ask, as one text."""
        return "".join(self.asked)


class Part(NamedTuple):
    """A part of ICE as the form shows it; ``also`` is a hint for all of its questions."""

    name: str
    label: str
    also: str = ""


PARTS: Final = (
    Part("orientation", "Where and when"),
    Part("naming", "Name three things", "point at each"),
    Part("commands", "One order"),
    Part("writing", "One sentence"),
    Part("attention", "One count"),
)
QUESTIONS: Final = (
    Question("year", "orientation", ("“What ", "year", " is it?”"), "the year in numbers"),
    Question("month", "orientation", ("“What ", "month", " is it?”"), "its name or its number"),
    Question(
        "city",
        "orientation",
        ("“What ", "city", " are we in?”"),
        "say yes to the city or its district",
    ),
    Question(
        "hospital",
        "orientation",
        ("“What ", "hospital", " is this?”"),
        "the usual name is enough",
    ),
    Question("first_thing", "naming", ("“What is this?” ", "first thing", ""), "for example: pen"),
    Question(
        "second_thing", "naming", ("“What is this?” ", "second thing", ""), "for example: clock"
    ),
    Question(
        "third_thing", "naming", ("“What is this?” ", "third thing", ""), "for example: button"
    ),
    Question(
        "command",
        "commands",
        ("“Show me ", "two fingers", ".”"),
        "or: close your eyes and put out your tongue",
    ),
    Question(
        "sentence",
        "writing",
        ("“", "Write", " one sentence.”"),
        "usual sentence; compare with the first sample",
    ),
    Question(
        "count", "attention", ("“Count back from ", "100 by tens", ".”"), "100, 90, 80 … to 10"
    ),
)
"""The ten points of ICE (ASTCT 2019), in the order in which they are asked."""

ICE_BANDS: Final = ((ICE_HIGHEST, 0), *((lowest, grade) for lowest, _, grade in ICE_GRADES))
"""The lowest ICE score of each ICANS grade, the highest score first."""


def capd_bands(policy: Policy) -> tuple[tuple[int, int], ...]:
    """Return the lowest CAPD sum of each ICANS grade, the highest sum first."""
    return ((int(CAPD_SEVERE_FROM.value), 3), (1, policy.icans_capd_1_to_8_grade), (0, 0))

"""Say which courses change, and how, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from replay.history import Graded, History, hours_text

_NAMED_AT_MOST: Final = 20


@dataclass(frozen=True, slots=True)
class Comparison:
    """The courses of both sides.

    ``changed`` has the differences in grade or bound of a course by its name; ``otherwise`` are
    those whose grades are the same by other criteria, evidence or unknowns; ``new`` and ``gone``
    are on one side only; ``refused`` are those that one side could not read, with the reason, and
    ``unread`` how many neither could.
    """

    compared: int
    changed: Mapping[str, tuple[str, ...]]
    otherwise: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    refused: Mapping[str, str] | None = None
    unread: int = 0

    @property
    def is_same(self) -> bool:
        """Whether nothing differs."""
        return not (self.changed or self.otherwise or self.new or self.gone or self.refused)

    def lines(self) -> Iterator[str]:
        """Yield the sentence, and a line for each course that differs."""
        yield sentence(len(self.changed), self.compared)
        for name, differences in self.changed.items():
            yield f"  {name}: {'; '.join(differences)}"
        for word, names in (
            ("with the same grades by other criteria or unknowns", self.otherwise),
            ("new", self.new),
            ("gone", self.gone),
        ):
            if names:
                yield f"{_courses(len(names))} {word}: {_some(names)}"
        for name, why in (self.refused or {}).items():
            yield f"  {name}: not compared, {why}"
        if self.unread:
            yield f"{_courses(self.unread)} read by neither side"


def sentence(changed: int, compared: int) -> str:
    """Return how many courses change."""
    return f"{changed} of {compared} courses change{', these:' if changed else ''}"


def compare(before: Mapping[str, History], after: Mapping[str, History]) -> Comparison:
    """Compare the courses of both sides by their names."""
    both = [name for name in after if name in before]
    found = {name: tuple(differences(before[name], after[name])) for name in both}
    return Comparison(
        compared=len(both),
        changed={name: words for name, words in found.items() if words},
        otherwise=tuple(
            name
            for name, words in found.items()
            if not words and before[name].digest != after[name].digest
        ),
        new=tuple(name for name in after if name not in before),
        gone=tuple(name for name in before if name not in after),
    )


def differences(before: History, after: History) -> Iterator[str]:
    """Yield where grade or bound differ, from when to when after the infusion."""
    starts = sorted({step.seconds for step in (*before.steps, *after.steps)})
    spans: list[tuple[float, float | None, Graded, Graded]] = []
    for start, end in pairwise([*starts, None]):
        if start is None:
            continue
        was, would_be = before.at(start), after.at(start)
        if was[1:] == would_be[1:]:
            continue
        last = spans[-1] if spans else None
        if last and last[1] == start and (last[2][1:], last[3][1:]) == (was[1:], would_be[1:]):
            spans[-1] = (last[0], end, was, would_be)
        else:
            spans.append((start, end, was, would_be))
    for start, end, was, would_be in spans:
        until = f"to {hours_text(end)}" if end is not None else "on"
        yield f"{_change(was, would_be)} from {hours_text(start)} {until} after the infusion"
    if before.maximum != after.maximum:
        yield f"highest grade up to the last entry {before.maximum} becomes {after.maximum}"


def _change(was: Graded, would_be: Graded) -> str:
    if was.grade == would_be.grade:
        return (
            f"grade {was.grade} stays, could be {was.at_most} becomes could be {would_be.at_most}"
        )
    return f"{_words(was)} becomes {_words(would_be)}"


def _words(graded: Graded) -> str:
    if graded.grade is None:
        return "not graded"
    bound = f", could be {graded.at_most}" if graded.at_most != graded.grade else ""
    return f"grade {graded.grade}{bound}"


def _some(names: Sequence[str]) -> str:
    """Write the first names, and how many more there are."""
    more = len(names) - _NAMED_AT_MOST
    return "; ".join(names[:_NAMED_AT_MOST]) + (f"; and {more} more" if more > 0 else "")


def _courses(number: int) -> str:
    return f"{number} course{'' if number == 1 else 's'}"

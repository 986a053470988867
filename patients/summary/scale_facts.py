"""The facts of ASTCT and ICANS in one span of time: the highest grade, and how long each lasted.

Plain Python, like those of Lee's grades. Nothing is averaged, and no scale stands for another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from patients.display.scale_levels import Assessments, pieces_of
from patients.queries.scales import ICANS, CourseScales, ScalePeriod
from patients.summary.spans import Span, Window, within

_TIMED_GRADES: Final = range(5)
"""Grade 5 is death, which has a time and no length."""


class ScalePiece(NamedTuple):
    """A time in which one period of a scale was in force; ``grade`` None: not assessed."""

    start: datetime
    end: datetime | None
    grade: int | None
    period: ScalePeriod


class ScaleCourse(NamedTuple):
    """One scale over a whole course, by its key."""

    key: str
    name: str
    pieces: Sequence[ScalePiece]


class ScalePeak(NamedTuple):
    """The highest grade of a span and when it began; ``continues``: before the span."""

    at: datetime
    grade: int
    evidence: tuple[str, ...]
    explanations: tuple[str, ...]
    continues: bool


class ScaleOpen(NamedTuple):
    """A grade above the highest known one that was not ruled out, when, and what was not known."""

    grade: int
    spans: tuple[Span, ...]
    why: str


@dataclass(frozen=True, slots=True)
class ScaleFacts:
    """What one scale says of a span; ``grades`` is the time at each of the grades 0 to 4.

    ``peak`` None: it was never assessed, or nothing is graded. ``ended_at`` is from when on the
    grade is 0 for certain at the end of the span, after a time when it was not.
    """

    key: str
    name: str
    peak: ScalePeak | None
    is_graded: bool
    not_ruled_out: ScaleOpen | None
    grades: Mapping[int, timedelta]
    not_assessed: timedelta
    ended_at: datetime | None


def courses_of(scales: CourseScales, assessments: Assessments) -> list[ScaleCourse]:
    """Return each scale over the course, from the infusion to the instant of ``scales``."""
    return [
        ScaleCourse(
            answer.scale.key,
            answer.scale.short,
            [
                ScalePiece(level.start, level.end, level.grade, period)
                for level, period in pieces_of(answer, assessments.of(answer.scale))
            ],
        )
        for answer in scales.answers
    ]


def scale_facts(course: ScaleCourse, known: Window) -> ScaleFacts:
    """Return the facts of a scale within ``known``."""
    pieces = _within(course.pieces, known)
    return ScaleFacts(
        key=course.key,
        name=course.name,
        peak=_peak(pieces, known),
        is_graded=bool(pieces),
        not_ruled_out=_not_ruled_out(course.key, pieces),
        grades={
            grade: sum((part.length for one, part in pieces if one.grade == grade), timedelta(0))
            for grade in _TIMED_GRADES
        },
        not_assessed=sum((part.length for one, part in pieces if one.grade is None), timedelta(0)),
        ended_at=_ended_at(pieces),
    )


_PieceIn = tuple[ScalePiece, Span]


def _within(pieces: Iterable[ScalePiece], known: Window) -> list[_PieceIn]:
    found = []
    for piece in pieces:
        end = known.end if piece.end is None else piece.end
        part = within(Span(piece.start, max(end, piece.start)), known)
        if part is not None:
            found.append((piece, part))
    return found


def _peak(pieces: Sequence[_PieceIn], known: Window) -> ScalePeak | None:
    highest = max((one.grade for one, _ in pieces if one.grade is not None), default=None)
    if highest is None:
        return None
    piece, part = next(found for found in pieces if found[0].grade == highest)
    decide = [one for one in piece.period.criteria if one.grade == highest]
    return ScalePeak(
        part.start,
        highest,
        tuple(dict.fromkeys(entry_id for one in decide for entry_id in one.evidence)),
        tuple(one.explanation for one in decide),
        piece.start < known.start,
    )


def _not_ruled_out(key: str, pieces: Sequence[_PieceIn]) -> ScaleOpen | None:
    """Return the highest bound above every known grade.

    As with Lee's, times before CRS was assessed are left out. An ICE that could not be done leaves
    ICANS open, so none of its times is.
    """
    highest = max((one.grade or 0 for one, _ in pieces), default=0)
    bounds = [found for found in pieces if found[0].grade is not None or key == ICANS]
    bound = max((one.period.at_most for one, _ in bounds), default=0)
    if bound <= highest:
        return None
    reaching = [found for found in bounds if found[0].period.at_most == bound]
    spans: list[Span] = []
    for _, part in reaching:
        if spans and spans[-1].end == part.start:
            spans[-1] = Span(spans[-1].start, part.end)
        else:
            spans.append(part)
    return ScaleOpen(bound, tuple(spans), reaching[0][0].period.unknown[0].why)


def _ended_at(pieces: Sequence[_PieceIn]) -> datetime | None:
    since = None
    for piece, part in reversed(pieces):
        if piece.grade is None:
            return None
        if piece.grade or piece.period.at_most:
            return since
        since = part.start
    return None

"""Read a course for the page of the scales, and build what the page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from grading.systems import HEADLINE
from patients.display.banner import Banner, banner_of
from patients.display.ice_due import ice_due_of, tool_of_course
from patients.display.scale_differences import (
    Sentence,
    bound_sentences,
    clause_of_paper,
    difference_sentences,
)
from patients.display.scales import ScaleShown, evidence_of, headline_shown, scale_shown
from patients.models import Course
from patients.queries.known_at import read_known_at
from patients.queries.scales import (
    SCALES,
    SHOWN,
    CourseScales,
    Pattern,
    scales_at,
    scales_over,
)
from patients.queries.status import (
    CourseStatus,
    read_authors,
    read_course_status,
    status_known_at,
)
from patients.scales.address import ScalesAddress


class Paper(NamedTuple):
    """A scale of papers: ``why`` says in a clause why it is not Lee's grade."""

    scale: ScaleShown
    why: str


class Compared(NamedTuple):
    """Two scales compared with one another; no sentences where they agree."""

    one: ScaleShown
    other: ScaleShown
    sentences: Sequence[Sentence]


class PatternShown(NamedTuple):
    """A frequent reason why scales disagree, and why it is one."""

    id: str
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class ScalesPage:
    """What the page shows at ``at``: Lee's grade, ASTCT and ICANS, and those of papers if asked."""

    at: datetime
    banner: Banner
    headline: ScaleShown
    shown: Sequence[ScaleShown]
    papers: Sequence[Paper]
    sentences: Sequence[Sentence]
    patterns: Sequence[PatternShown]
    compared: Compared | None
    ended: bool

    @property
    def heads(self) -> Sequence[ScaleShown]:
        """The three grades as they stand side by side, Lee's first."""
        return [self.headline, *self.shown]

    @property
    def parts(self) -> Sequence[ScaleShown]:
        """The three scales as their criteria follow one another."""
        return [*self.shown, self.headline]

    @property
    def all_agree(self) -> bool:
        """Whether ASTCT has Lee's grade and bound."""
        lee, astct = self.headline, self.shown[0]
        return (lee.number, lee.could_be) == (astct.number, astct.could_be)


_WHY: Final[Mapping[str, str]] = {
    "W1": "Lee and CARTOX ask for the dose, ASTCT only for the number of vasopressors.",
    "W2": "ASTCT leaves the toxicity of organs to CTCAE.",
    "W3": "Penn draws no line at an FiO2.",
    "W4": "ASTCT and CTCAE 6.0 go by the device, the others by the FiO2.",
    "W5": "The estimated FiO2 reaches 40 %, the flow does not pass 6 L/min.",
    "W6": "Penn grades the place of care.",
    "W7": "Penn counts the boluses.",
    "W8": "ASTCT asks for a fever.",
    "W9": "Penn goes by the dose, ASTCT by the number; Lee counts vasopressin, ASTCT does not.",
    "W10": "It was merged with CRS in 2014 and has been graded apart since.",
}
"""Why each frequent pattern is one, by its id."""


def read_scales_page(course: Course, address: ScalesAddress, now: datetime) -> ScalesPage:
    """Read ``course`` as ``address`` asks; of a closed course the end is shown as now."""
    if address.is_now and course.ended_at is not None:
        now = min(now, course.ended_at)
    status, scales = _read(course, address, now)
    return _build(status, scales, address)


def _read(
    course: Course, address: ScalesAddress, now: datetime
) -> tuple[CourseStatus, CourseScales]:
    wanted = SCALES if address.papers else SHOWN
    if address.is_now:
        status = read_course_status(course, now)
        return status, scales_at(status, wanted, address.compare)
    at, known_at = address.instants.at, address.instants.known_at
    known = read_known_at(course, HEADLINE, known_at, is_now=address.is_known_now)
    return status_known_at(known, at), scales_over(known, at, wanted, address.compare)


def _build(status: CourseStatus, scales: CourseScales, address: ScalesAddress) -> ScalesPage:
    course, current = status.course, status.current
    authors = read_authors(evidence_of(scales, current))
    closed = address.is_now and course.ended_at is not None
    due, tool = ice_due_of(course, current), tool_of_course(course, current)
    headline = headline_shown(current, authors, closed=closed)
    every = [
        scale_shown(answer, current, due, authors=authors, closed=closed, tool=tool)
        for answer in scales.answers
    ]
    by_key = {one.key: one for one in (headline, *every)}
    shown, papers = every[: len(SHOWN)], every[len(SHOWN) :]
    of_shown = [
        one for one in scales.differ
        if {one.higher.key, one.lower.key} <= {headline.key, *(each.key for each in shown)}
    ]  # fmt: skip
    return ScalesPage(
        at=current.at,
        banner=banner_of(status),
        headline=headline,
        shown=shown,
        papers=[Paper(one, clause_of_paper(one, headline, scales.differ)) for one in papers],
        sentences=[
            *difference_sentences(of_shown, by_key),
            *bound_sentences(headline, shown),
        ],
        patterns=[_pattern(one) for one in scales.patterns],
        compared=_compared(address, scales, by_key),
        ended=current.ended,
    )


def _pattern(pattern: Pattern) -> PatternShown:
    return PatternShown(pattern.id, pattern.name, _WHY[pattern.id])


def _compared(
    address: ScalesAddress, scales: CourseScales, by_key: Mapping[str, ScaleShown]
) -> Compared | None:
    if address.compare is None:
        return None
    one, other = (by_key[key] for key in address.compare)
    sentences = difference_sentences(scales.compared, by_key, with_icans=True)
    if one.key != other.key:
        sentences += bound_sentences(one, [other], with_icans=True)
    return Compared(one, other, sentences)

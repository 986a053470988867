"""Hypothesis strategies for valid course documents, and for the times to ask about them.

They ask the questions of `random_courses` and answer them by draws, so both know the same corners;
here a failing course shrinks: fewer entries, then plainer values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from hypothesis import strategies as st

from tests.grading import random_courses, random_scale_courses
from tests.grading.random_courses import Raw, Scenario
from tests.grading.random_scale_content import SCALE_CONTENT

Item = TypeVar("Item")


@dataclass(frozen=True)
class DrawnChooser:
    """Answers by Hypothesis draws: the first of a pool, and no rather than yes, are simplest."""

    draw: st.DrawFn

    def pick(self, pool: Sequence[Item]) -> Item:
        return self.draw(st.sampled_from(pool))

    def chance(self, percent: int) -> bool:
        return self.draw(st.integers(0, 99)) >= 100 - percent


@st.composite
def entries(draw: st.DrawFn, scenario: Scenario, infused_at: datetime) -> Raw:
    """One entry of a scenario."""
    return random_courses.entry(DrawnChooser(draw), scenario, infused_at)


@st.composite
def documents(draw: st.DrawFn, scenario: Scenario) -> Raw:
    """A course of one scenario, some of its entries corrected or retracted."""
    choose = DrawnChooser(draw)
    facts = random_courses.course_facts(choose, scenario)
    infused_at = datetime.fromisoformat(facts["therapy"]["infused_at"])
    one = entries(scenario, infused_at)
    charted = draw(st.lists(one, min_size=1, max_size=scenario.longest))
    for _ in range(draw(st.sampled_from((0, 0, 0, 1, 2, 3)))):
        random_courses.amend(choose, charted)
    return random_courses.finished(facts, charted)


def circulation_courses() -> st.SearchStrategy[Raw]:
    """Vasopressors, pressures, boluses, judgements and weights, close together."""
    return st.one_of(
        documents(random_courses.HYPOTENSION),
        documents(random_courses.INFUSIONS),
        documents(random_courses.CIRCULATION),
    )


def laboratory_courses() -> st.SearchStrategy[Raw]:
    """Laboratory results, toxicities and symptoms, before and after the infusion."""
    return documents(random_courses.LABORATORY)


def oxygen_courses() -> st.SearchStrategy[Raw]:
    """Oxygen by every device, with temperatures between."""
    return documents(random_courses.OXYGEN)


def courses() -> st.SearchStrategy[Raw]:
    """Everything that can be charted, deaths included, or one of the narrower kinds."""
    return st.one_of(
        documents(random_courses.EVERYTHING),
        circulation_courses(),
        laboratory_courses(),
        oxygen_courses(),
    )


@st.composite
def scale_documents(draw: st.DrawFn, scenario: Scenario) -> Raw:
    """A course with what scales other than Lee's ask, some of its entries corrected."""
    choose = DrawnChooser(draw)
    facts = random_scale_courses.scale_facts(choose, scenario)
    infused_at = datetime.fromisoformat(facts["therapy"]["infused_at"])
    charted = [
        random_courses.entry(choose, scenario, infused_at, SCALE_CONTENT)
        for _ in range(draw(st.integers(1, scenario.longest)))
    ]
    for _ in range(draw(st.sampled_from((0, 0, 0, 1, 2)))):
        random_courses.amend(choose, charted, SCALE_CONTENT)
    return random_scale_courses.with_format(random_courses.finished(facts, charted))


def scale_courses() -> st.SearchStrategy[Raw]:
    """Courses of every scenario of the scales beside Lee's."""
    return st.one_of(*map(scale_documents, random_scale_courses.SCALE_SCENARIOS))


def support_courses() -> st.SearchStrategy[Raw]:
    """Vasopressors, pressures, boluses and devices, with temperatures and treatments between."""
    return st.one_of(
        scale_documents(random_scale_courses.SUPPORT),
        scale_documents(random_scale_courses.BOLUSES),
        scale_documents(random_scale_courses.GATE),
        scale_documents(random_scale_courses.DEVICES),
    )


def times(document: Raw) -> st.SearchStrategy[tuple[str | None, str | None]]:
    """`now` and `known_at`: absent, at an instant of the document, or near or after one."""
    moments = st.none() | st.sampled_from(random_courses.instants(document))
    return st.tuples(moments, moments)

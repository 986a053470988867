"""The numbers of ASTCT and ICANS in a summary are those of a second implementation of the scales.

It shares nothing with the engine. Between two instants at which anything could change nothing does,
so its answer in the middle holds for the whole time between them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

from grading.course_file import read_course
from grading.engine.entries import BaselineFacts, in_force
from grading.scales import grade_scales
from patients.display.scale_levels import assessments_of
from patients.summary.facts import EpisodeFacts, episode_facts
from patients.summary.scale_facts import courses_of
from patients.summary.spans import Span
from tests.grading import oracle
from tests.grading.random_scale_courses import random_scale_course
from tests.grading.scales_oracle.answers import answer_at, read, turns
from tests.grading.scales_oracle.facts import ScaleChart
from tests.patients.summary.charts import chart_of

COURSES = 60
KEYS = ("astct-2019", "icans-2019")
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def courses() -> Iterator[tuple[int, dict[str, Any], ScaleChart]]:
    for seed in range(COURSES):
        document = random_scale_course(Random(seed))  # noqa: S311
        chart = read(document, None, None)
        if chart.now > chart.infused_at:
            yield seed, document, chart


def facts_of(document: dict[str, Any], until: datetime, window: Span) -> EpisodeFacts:
    course = read_course(document)
    entries = [
        one for one in in_force(course.entries) if one.at <= until or isinstance(one, BaselineFacts)
    ]
    scales = grade_scales(course.facts, entries, until)
    ordered = sorted(entries, key=lambda one: (one.at, one.recorded_at))
    steps = assessments_of(ordered, course.facts, scales.policy, until)
    chart = replace(chart_of(document, until), scales=courses_of(scales, steps))
    return episode_facts(chart, window)


def pieces(chart: ScaleChart) -> Iterator[tuple[datetime, timedelta]]:
    """An instant between each two turns, and the time between them; the last has no length."""
    death = oracle.first_death(chart)
    end = chart.now if death is None else min(death.at, chart.now)
    found = [at for at in turns(chart) if chart.infused_at <= at <= end]
    for start, until in pairwise(sorted({*found, end})):
        yield start + (until - start) / 2, until - start
    yield end, timedelta(0)


def test_times_and_the_peak_are_those_of_a_second_implementation() -> None:
    seen: set[tuple[str, int]] = set()
    for seed, document, chart in courses():
        facts = facts_of(document, chart.now, Span(chart.infused_at, LATEST))
        for key in KEYS:
            times: dict[int | None, timedelta] = defaultdict(timedelta)
            highest = 0
            for at, length in pieces(chart):
                grade = answer_at(chart, at, key).grade
                times[grade] += length
                highest = max(highest, grade or 0)
            found = facts.scales[key]
            assert found.grades[0] + found.not_assessed == times[0], (seed, key)
            for grade in (1, 2, 3, 4):
                assert found.grades[grade] == times[grade], (seed, key, grade)
            assert (found.peak.grade if found.peak else 0) == highest, (seed, key)
            seen.add((key, highest))
            seen |= {(key, grade) for grade, time in times.items() if time and grade is not None}
    assert {(key, grade) for key in KEYS for grade in (0, 1, 2, 3, 4)} <= seen


def test_the_peak_begins_where_the_second_implementation_has_it_first() -> None:
    compared = set()
    for seed, document, chart in courses():
        facts = facts_of(document, chart.now, Span(chart.infused_at, LATEST))
        death = oracle.first_death(chart)
        end = chart.now if death is None else min(death.at, chart.now)
        instants = [at for at in sorted(set(turns(chart))) if chart.infused_at <= at <= end]
        for key in KEYS:
            peak = facts.scales[key].peak
            if peak is None or peak.grade == 0:
                continue
            first = next(at for at in instants if answer_at(chart, at, key).grade == peak.grade)
            assert peak.at == first, (seed, key)
            compared.add(key)
    assert compared == set(KEYS)


def test_two_reporting_periods_add_up_to_the_whole_wherever_they_are_split() -> None:
    for seed, document, chart in courses():
        rng = Random(seed)  # noqa: S311
        split = chart.infused_at + (chart.now - chart.infused_at) * rng.random()
        whole, first, second = (
            facts_of(document, chart.now, span)
            for span in (
                Span(chart.infused_at, LATEST),
                Span(chart.infused_at, split),
                Span(split, LATEST),
            )
        )
        for key in KEYS:
            one, two, both = (facts.scales[key] for facts in (first, second, whole))
            for grade, time in both.grades.items():
                assert one.grades[grade] + two.grades[grade] == time, (seed, key, grade)
            assert one.not_assessed + two.not_assessed == both.not_assessed, (seed, key)
            peaks = [facts.peak.grade for facts in (one, two) if facts.peak is not None]
            assert max(peaks, default=None) == (both.peak.grade if both.peak else None), (seed, key)

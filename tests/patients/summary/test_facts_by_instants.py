"""The numbers of a summary are those of the rules: a second implementation, asked at instants.

The oracle of grading shares nothing with the engine. Between two instants at which anything could
change nothing does, so its answer in the middle holds for the whole time between them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from random import Random
from typing import Any

from patients.summary.facts import HIGHEST_TIMED_GRADE, EpisodeFacts, episode_facts
from patients.summary.spans import Span
from tests.grading import oracle
from tests.grading.random_courses import random_course
from tests.patients.summary.charts import chart_of

COURSES = 60
VASST = {"norepinephrine": 1, "dopamine": 2, "phenylephrine": 10, "epinephrine": 1}


def instants_of(chart: oracle.Chart) -> list[datetime]:
    found = {chart.infused_at, chart.now, *oracle.clock_instants(chart)}
    found |= {entry.at for entry in chart.course}
    return sorted(at for at in found if chart.infused_at <= at <= chart.now)


def in_the_middle(chart: oracle.Chart) -> Iterator[tuple[datetime, timedelta]]:
    """An instant between each two at which something may change, and the time between them.

    What begins at the last instant has no length, and can still be the highest.
    """
    death = oracle.first_death(chart)
    end = chart.now if death is None else min(death.at, chart.now)
    for start, until in pairwise(instants_of(chart)):
        if until <= end:
            yield start + (until - start) / 2, until - start
    yield end, timedelta(0)


def equivalent_of(chart: oracle.Chart, at: datetime) -> Fraction:
    doses = {drug: oracle.dose(chart, drug, at) for drug in oracle.running(chart, at)}
    parts = [(dose or Fraction(0)) / VASST[drug] for drug, dose in doses.items() if drug in VASST]
    return sum(parts, Fraction(0))


def asked_at_instants(chart: oracle.Chart) -> dict[str, Any]:
    """Add up what the oracle says of each time between two instants."""
    found: dict[Any, timedelta] = defaultdict(timedelta)
    drugs: dict[str, timedelta] = defaultdict(timedelta)
    equivalents = []
    for at, length in in_the_middle(chart):
        state = oracle.state_at(chart, at)
        found[state.grade] += length
        if any(code.startswith("oxygen.") or code == "ventilator" for code in state.met):
            found["oxygen"] += length
        running = oracle.running(chart, at)
        if running:
            found["vasopressor"] += length
            equivalents.append(equivalent_of(chart, at))
        if running and oracle.high_now(chart, at):
            found["high dose"] += length
        for drug in running:
            drugs[drug] += length
    return {"times": found, "drugs": drugs, "highest": max(equivalents, default=None)}


def courses() -> Iterator[tuple[int, dict[str, Any], oracle.Chart]]:
    for seed in range(COURSES):
        document = random_course(Random(seed))  # noqa: S311
        chart = oracle.read(document, None, None)
        if chart.now > chart.infused_at:
            yield seed, document, chart


def whole(chart: oracle.Chart) -> Span:
    return Span(chart.infused_at, datetime(2200, 1, 1, tzinfo=UTC))


def test_times_and_doses_are_those_of_a_second_implementation() -> None:
    seen: set[str] = set()
    for seed, document, chart in courses():
        facts = episode_facts(chart_of(document, chart.now), whole(chart))
        asked = asked_at_instants(chart)
        times: Mapping[Any, timedelta] = asked["times"]
        at_0 = facts.grades[0] + facts.not_assessed
        assert at_0 == times.get(0, timedelta(0)), seed
        for grade in range(1, HIGHEST_TIMED_GRADE + 1):
            assert facts.grades[grade] == times.get(grade, timedelta(0)), (seed, grade)
        assert facts.oxygen.time == times.get("oxygen", timedelta(0)), seed
        assert facts.vasopressors.time == times.get("vasopressor", timedelta(0)), seed
        assert facts.vasopressors.high_dose == times.get("high dose", timedelta(0)), seed
        by_drug = {
            str(drug): sum((span.length for span in spans), timedelta(0))
            for drug, spans in facts.vasopressors.by_drug.items()
        }
        assert by_drug == dict(asked["drugs"]), seed
        if asked["highest"] is not None:
            assert facts.vasopressors.highest == asked["highest"], seed
        seen |= {str(name) for name, time in times.items() if time}
    assert {"1", "2", "3", "4", "oxygen", "vasopressor", "high dose"} <= seen


def test_onset_and_peak_are_the_first_instants_at_which_the_second_one_has_them() -> None:
    for seed, document, chart in courses():
        facts = episode_facts(chart_of(document, chart.now), whole(chart))
        death = oracle.first_death(chart)
        end = chart.now if death is None else min(death.at, chart.now)
        stopped = death is not None and oracle.attribution(death) == "other"
        states = [
            (at, oracle.state_at(chart, at))
            for at in instants_of(chart)
            if at < end or (at == end and not stopped)
        ]
        met = [at for at, state in states if state.met]
        assert (facts.onset.at if facts.onset else None) == (met[0] if met else None), seed
        highest = max((state.grade for _, state in states), default=0)
        assert facts.peak is not None or highest == 0, seed
        if facts.peak is not None:
            first = next(at for at, state in states if state.grade == highest)
            assert (facts.peak.grade, facts.peak.at) == (highest, first), seed


def test_two_reporting_periods_add_up_to_the_whole_wherever_they_are_split() -> None:
    def times_of(facts: EpisodeFacts) -> dict[Any, timedelta]:
        return {
            **facts.grades,
            "not assessed": facts.not_assessed,
            "oxygen": facts.oxygen.time,
            "vasopressor": facts.vasopressors.time,
            "high dose": facts.vasopressors.high_dose,
        }

    for seed, document, read in courses():
        chart = chart_of(document, read.now)
        rng = Random(seed)  # noqa: S311
        cut = rng.choice(instants_of(read)) + timedelta(minutes=rng.choice((0, 0, 7)))
        if cut <= chart.infused_at:
            continue
        first = episode_facts(chart, Span(chart.infused_at, cut))
        second = episode_facts(chart, Span(cut, whole(read).end))
        both = {name: time + times_of(second)[name] for name, time in times_of(first).items()}
        assert both == times_of(episode_facts(chart, whole(read))), seed
        assert len(first.entry_ids) + len(second.entry_ids) == len(
            episode_facts(chart, whole(read)).entry_ids
        ), seed


def test_the_entries_behind_an_answer_are_entries_of_the_chart() -> None:
    for _, document, read in courses():
        chart = chart_of(document, read.now)
        facts = episode_facts(chart, whole(read))
        known = {one.id for one in chart.entries}
        named = {*facts.vasopressors.evidence, *facts.oxygen.evidence, *facts.oxygen.devices}
        named |= set(facts.onset.evidence if facts.onset else ())
        assert named <= known

"""Compares what the command line says of every scale with the second implementation.

A period is compared at every instant worth asking, not by its ends alone: an answer that turns a
second too late, or between two instants that the second implementation knows of, is found.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from grading.course_file import read_course
from grading.course_result import CourseResult, grade_course
from grading.scales import scales_named
from tests.grading.scales_oracle.answers import SCALES, answer_at, instants, read
from tests.grading.scales_oracle.differ import differ_at, patterns_at
from tests.grading.scales_oracle.facts import Answer, ScaleChart

Json = dict[str, Any]
NOTHING: Json = {"grade": None, "at_most": None, "met": {}, "unknown": {}, "withheld": {}}


def graded(document: Mapping[str, Any], now: str | None, known_at: str | None) -> CourseResult:
    """What the command line answers to `--scales all`, before it is written."""
    moments = (None if text is None else datetime.fromisoformat(text) for text in (now, known_at))
    return grade_course(read_course(json.dumps(document)), *moments, scales=scales_named("all"))


def differences(
    document: Mapping[str, Any], now: str | None = None, known_at: str | None = None
) -> Iterator[str]:
    result = graded(document, now, known_at)
    found = result.as_json()
    chart = read(document, now, known_at)
    if list(found["scales"]) != list(SCALES):
        yield f"scales: {list(found['scales'])}"
    for key in SCALES:
        yield from differences_of_scale(chart, key, found["scales"][key])
    begun = chart.now >= chart.infused_at
    wanted, said = rows(differ_at(chart, chart.now) if begun else []), rows(found["differ"])
    for only, whose in ((wanted - said, "rules"), (said - wanted, "engine")):
        yield from (f"differ, only in the {whose}: {row}" for row in sorted(only, key=str))
    patterns = patterns_at(chart, chart.now) if begun else []
    shown = [pattern.id for pattern in result.scales.patterns] if result.scales else None
    if shown != patterns:
        yield f"patterns: rules {patterns}, engine {shown}"


def differences_of_scale(chart: ScaleChart, key: str, found: Json) -> Iterator[str]:
    periods = found["periods"]
    if chart.now < chart.infused_at:
        if periods or found["current"] != {"grade": None, "at_most": None}:
            yield f"{key}: graded before the infusion"
        return
    yield from (f"{key}: {fault}" for fault in faults_of_tiling(chart, periods))
    current = as_shown(answer_at(chart, chart.now, key))
    wanted = {"grade": current["grade"], "at_most": current["at_most"]}
    if found["current"] != wanted:
        yield f"{key} now: rules {wanted}, engine {found['current']}"
    ended_at = moment(periods[-1]["to"]) if found["current"]["grade"] is None and periods else None
    for t in asked(chart, periods):
        period = None if ended_at is not None and t >= ended_at else at_instant(periods, t)
        rules, engine = shown_at(chart, key, t, period), NOTHING if period is None else of(period)
        if rules != engine:
            yield f"{key} at {t.isoformat()}:\n   rules  {rules}\n   engine {engine}"
            return


def shown_at(chart: ScaleChart, key: str, t: datetime, period: Json | None) -> Json:
    """What a period should show at an instant.

    While grade, bound and codes stay, it shows the grade of each code as it was at its beginning.
    """
    rules = as_shown(answer_at(chart, t, key))
    if period is not None:
        began = as_shown(answer_at(chart, moment(period["from"]), key))
        for part in ("met", "unknown", "withheld"):
            if rules[part].keys() == began[part].keys():
                rules[part] = began[part]
    return rules


def faults_of_tiling(chart: ScaleChart, periods: list[Json]) -> Iterator[str]:
    past = [period for period in periods if not period["projected"]]
    for before, after in pairwise(past):
        if before["to"] != after["from"]:
            yield f"a gap after {before['to']}"
    if past and moment(past[0]["from"]) != chart.infused_at:
        yield "the first period does not begin at the infusion"
    if any(moment(period["from"]) <= chart.now for period in periods if period["projected"]):
        yield "a projected period begins in the past"
    for before, after in pairwise(periods):
        if of(before) == of(after) and before.get("waived_by") == after.get("waived_by"):
            yield f"two periods alike at {after['from']}"


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def asked(chart: ScaleChart, periods: Iterable[Json]) -> list[datetime]:
    """The instants worth asking by the rules, and those at which the engine's answer turns."""
    turned = {moment(period["from"]) for period in periods}
    before = {t - timedelta(seconds=1) for t in turned}
    return sorted(t for t in {*instants(chart), *turned, *before} if t >= chart.infused_at)


def at_instant(periods: list[Json], t: datetime) -> Json | None:
    begun = [period for period in periods if moment(period["from"]) <= t]
    return begun[-1] if begun else None


def as_shown(answer: Answer) -> Json:
    return {
        "grade": answer.grade,
        "at_most": answer.at_most,
        "met": {code: criterion.grade for code, criterion in answer.met.items()},
        "unknown": dict(answer.unknown),
        "withheld": {code: criterion.grade for code, criterion in answer.withheld.items()},
    }


def of(period: Json) -> Json:
    return {
        "grade": period["grade"],
        "at_most": period["at_most"],
        "met": {one["code"]: one["grade"] for one in period["criteria"]},
        "unknown": {one["code"]: one["could_reach"] for one in period["unknown"]},
        "withheld": {one["code"]: one["grade"] for one in period.get("withheld", [])},
    }


def rows(differ: list[Json]) -> set[tuple[Any, ...]]:
    return {
        (
            *(row["higher"], row["code"], row["axis"]),
            *(row["lower"], row["lower_code"], row["lower_grade"]),
            tuple(sorted(code_of(one) for one in row["withheld"] or ())),
        )
        for row in differ
    }


def code_of(withheld: str | Json) -> str:
    return withheld if isinstance(withheld, str) else str(withheld["code"])

"""A stored finding holds what its sentence is made from: code and parameters render it again."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from grading.course_file import read_course
from grading.engine.entries import in_force
from grading.engine.periods import Criterion, Unknown
from grading.engine.sentences import duration_text, minutes_text, render
from grading.engine.systems.lee_2014 import LEE_2014
from grading.service import regrade, status_at
from tests.grading.random_courses import random_course
from tests.grading.test_cases import ALL_CASES, DEMO, Case, charted_entries, instant

RANDOM_COURSES = range(600)
DECIMAL = re.compile(r"≈?-?\d+(\.\d+)?")


def documents_of_cases(case: Case) -> Iterator[Any]:
    if case.is_one_course:
        entries = [
            entry
            for row in case.rows
            for entry in charted_entries(row["charted"], instant(row["time"]))
        ]
        yield case.course | {"entries": entries}
        return
    for row in case.rows:
        yield case.course | {"entries": charted_entries(row["charted"], instant("10:00"))}


def documents() -> Iterator[Any]:
    for case in ALL_CASES:
        yield from documents_of_cases(case)
    for path in sorted(DEMO.glob("*.json")):
        yield json.loads(path.read_text(encoding="utf-8"))
    for seed in RANDOM_COURSES:
        yield random_course(Random(seed))  # noqa: S311 - not for secrets


def findings_of(document: Any) -> Iterator[tuple[str, str, Any]]:
    """Code, sentence and parameters of every finding, as they are read back from JSON."""
    course = read_course(json.dumps(document))
    entries = in_force(course.entries)
    periods = list(regrade(course.facts, entries).periods)
    if entries:
        periods += status_at(course.facts, entries, max(e.at for e in entries))[1].upcoming
    for period in periods:
        stored = json.loads(json.dumps(period.findings_json()))
        for item in stored["criteria"]:
            yield item["code"], item["explanation"], item["params"]
        for item in stored["unknown"]:
            yield item["code"], item["why"], item["params"]


@pytest.fixture(scope="module")
def findings() -> list[tuple[str, str, Any]]:
    return [finding for document in documents() for finding in findings_of(document)]


def test_every_sentence_is_rendered_from_its_code_and_parameters(
    findings: list[tuple[str, str, Any]],
) -> None:
    wrong = [item for item in findings if render(item[0], item[2]) != item[1]]
    assert wrong == []


def test_every_criterion_and_most_unknowns_are_among_the_findings_rendered(
    findings: list[tuple[str, str, Any]],
) -> None:
    codes = {code for code, _, _ in findings}
    assert set(LEE_2014.rules) <= codes
    assert {"hypotension.refractory", "hypotension.no_systolic", "vasopressor.dose"} <= codes
    assert {"oxygen.fio2", "oxygen.fio2_estimated", "organ_toxicity.ungraded"} <= codes


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


def test_parameters_are_codes_decimal_strings_and_truths(
    findings: list[tuple[str, str, Any]],
) -> None:
    """No parameter is a phrase: an English word would stay English in every language."""
    for _, _, params in findings:
        for leaf in leaves(params):
            if isinstance(leaf, str) and not DECIMAL.fullmatch(leaf):
                assert " " not in leaf
            else:
                assert isinstance(leaf, str | bool) or leaf is None


def test_parameters_take_no_part_in_comparing_findings() -> None:
    citation = LEE_2014.rules["death"].citation
    one = Criterion("death", 5, citation, ("a",), "Death from CRS", False, {"attribution": "crs"})
    other = Criterion("death", 5, citation, ("a",), "Death from CRS")
    assert (one, hash(one)) == (other, hash(other))
    assert Unknown("lab.alt", 3, "why", ("a",), {"x": "1"}) == Unknown("lab.alt", 3, "why", ("a",))


def test_a_code_that_no_finding_has_is_refused() -> None:
    with pytest.raises(KeyError):
        render("no.such_code", {})


@pytest.mark.parametrize(("minutes", "text"), [(0, "0 min"), (60, "1 h"), (139, "2 h 19 min")])
def test_minutes_are_written_as_hours_and_minutes(minutes: int, text: str) -> None:
    assert minutes_text(minutes) == text


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (0, "0 min"),
        (59, "59 min"),
        (23 * 60 + 59, "23 h 59 min"),
        (24 * 60, "1 d"),
        (33 * 60 + 45, "1 d 9 h"),
        (25 * 24 * 60, "25 d"),
    ],
)
def test_an_age_is_written_in_days_from_24_hours_on(minutes: int, text: str) -> None:
    assert duration_text(timedelta(minutes=minutes)) == text

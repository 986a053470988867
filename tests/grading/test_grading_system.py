"""A grading system is a value: what it graded names it, and only it resumes its checkpoints."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from grading.course_file import read_course, read_entry
from grading.course_result import grade_course
from grading.engine.checkpoint import ResumePoint
from grading.engine.entries import Entry
from grading.engine.facts import CourseFacts
from grading.engine.grading_system import DEATH, GradingSystem
from grading.engine.systems.lee_2014 import LEE_2014
from grading.report import text_report
from grading.service import regrade

START = datetime(2014, 1, 1, tzinfo=UTC)
FACTS = CourseFacts(infused_at=START, age_years=Decimal(54))
STRICTER = replace(
    LEE_2014,
    key="stricter",
    version="7",
    name="Stricter",
    table=tuple(rule._replace(grade=2) if rule.grade == 1 else rule for rule in LEE_2014.table),
)


def fevers(number: int) -> list[Entry]:
    return [
        read_entry(
            {
                "id": f"e{place}",
                "kind": "vitals",
                "temperature_c": "39" if place % 2 else "37",
                "at": (START + timedelta(minutes=place)).isoformat(),
            }
        )
        for place in range(number)
    ]


def test_periods_and_checkpoints_carry_key_and_version_of_their_system() -> None:
    history = regrade(FACTS, fevers(41), system=STRICTER)
    assert {(p.system, p.version) for p in history.periods} == {("stricter", "7")}
    assert {(c.system, c.version) for c in history.checkpoints} == {("stricter", "7")}
    point = history.checkpoints[0].to_resume_point()
    assert (point.system, point.version) == ("stricter", "7")


def test_another_table_gives_other_grades_and_the_default_is_lee_2014() -> None:
    assert {p.grade for p in regrade(FACTS, fevers(4), system=STRICTER).periods} == {0, 2}
    default = regrade(FACTS, fevers(4))
    assert default == regrade(FACTS, fevers(4), system=LEE_2014)
    assert {p.grade for p in default.periods} == {0, 1}


@pytest.mark.parametrize("other", [STRICTER, replace(LEE_2014, version="1")])
def test_a_checkpoint_is_resumed_only_by_the_system_that_made_it(other: GradingSystem) -> None:
    entries = fevers(41)
    point = regrade(FACTS, entries).checkpoints[0].to_resume_point()
    rest = [entry for entry in entries if entry.at > point.at]
    assert regrade(FACTS, rest, resume=point, system=LEE_2014).periods
    with pytest.raises(ValueError, match="cannot be resumed"):
        regrade(FACTS, rest, resume=point, system=other)


def test_a_checkpoint_without_the_name_of_its_system_is_resumed() -> None:
    entries = fevers(41)
    point = regrade(FACTS, entries).checkpoints[0].to_resume_point()
    rest = [entry for entry in entries if entry.at > point.at]
    unnamed = ResumePoint(point.at, point.state)
    assert regrade(FACTS, rest, resume=unnamed) == regrade(FACTS, rest, resume=point)


def test_a_course_result_and_its_report_name_their_system() -> None:
    document = read_course(
        {
            "format": "crs-course/1",
            "patient": {"age_years": 54},
            "therapy": {"infused_at": START.isoformat()},
            "entries": [],
        }
    )
    result = grade_course(document, START, system=STRICTER)
    assert (result.as_json()["ruleset"], result.as_json()["ruleset_version"]) == ("stricter", "7")
    assert "Stricter, ruleset version 7" in text_report(result)


def test_a_table_with_two_rules_for_a_code_or_none_for_death_is_refused() -> None:
    with pytest.raises(ValueError, match="one rule for each code"):
        replace(LEE_2014, table=(*LEE_2014.table, LEE_2014.table[0]))
    with pytest.raises(ValueError, match="one for death"):
        replace(LEE_2014, table=tuple(r for r in LEE_2014.table if r.code != DEATH))

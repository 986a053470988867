"""What is graded again and compared: the golden file, an earlier commit, and the words for it."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from replay.courses import BASE_DIR, known_courses, recorded_courses
from replay.differences import compare
from replay.earlier import NoSuchCommitError, checkout_of, graded_by
from replay.golden import graded_here, read_golden, write_golden
from replay.history import Graded, History, history_from, hours_text

BEFORE = History(
    maximum=3,
    steps=(Graded(0, 0, 0), Graded(3600, 2, 3), Graded(7200, 3, 3), Graded(93600, None, None)),
    digest="0",
)


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (
            [Graded(0, 0, 0), Graded(3600, 3, 3), Graded(93600, None, None)],
            "grade 2, could be 3 becomes grade 3 from 1:00 to 2:00 after the infusion",
        ),
        (
            [Graded(0, 0, 0), Graded(3600, 2, 4), Graded(7200, 3, 3), Graded(93600, None, None)],
            "grade 2 stays, could be 3 becomes could be 4 from 1:00 to 2:00 after the infusion",
        ),
        (
            [Graded(0, 0, 0), Graded(3600, 2, 3), Graded(7200, 3, 3)],
            "not graded becomes grade 3 from 26:00 on after the infusion",
        ),
        (
            [Graded(0, 0, 0), Graded(3600, 2, 3), Graded(7320, 3, 3), Graded(93600, None, None)],
            "grade 3 becomes grade 2, could be 3 from 2:00 to 2:02 after the infusion",
        ),
    ],
)
def test_a_change_is_named_with_its_grades_and_times(steps: list[Graded], words: str) -> None:
    after = replace(BEFORE, steps=tuple(steps))
    found = compare({"a": BEFORE, "b": BEFORE}, {"a": after, "b": BEFORE})
    assert list(found.lines()) == ["1 of 2 courses change, these:", f"  a: {words}"]


def test_a_change_of_the_highest_grade_alone_is_a_change() -> None:
    found = compare({"a": BEFORE}, {"a": replace(BEFORE, maximum=4)})
    assert found.changed == {"a": ("highest grade up to the last entry 3 becomes 4",)}


def test_the_same_grades_by_other_criteria_are_named_apart() -> None:
    found = compare({"a": BEFORE}, {"a": replace(BEFORE, digest="1")})
    assert (found.changed, found.is_same) == ({}, False)
    assert next(iter(found.lines())) == "0 of 1 courses change"
    assert "1 course with the same grades by other criteria or unknowns: a" in found.lines()


def test_a_course_on_one_side_only_is_named_and_no_golden_file_is_met_without_it() -> None:
    found = compare({"gone": BEFORE, "both": BEFORE}, {"both": BEFORE, "new": BEFORE})
    assert not found.is_same
    assert list(found.lines()) == [
        "0 of 1 courses change",
        "1 course new: new",
        "1 course gone: gone",
    ]


@pytest.mark.parametrize("seconds", [0, 60, 93_900, 3725, 3599.25])
def test_a_time_is_read_as_it_was_written(seconds: float) -> None:
    stored = replace(BEFORE, steps=(Graded(seconds, 1, 1),)).as_json()
    assert history_from(json.loads(json.dumps(stored))).steps[0].seconds == seconds
    assert hours_text(93_900) == "26:05"


def test_the_golden_file_holds_every_course_once_and_finds_another_policy(tmp_path: Path) -> None:
    courses = [one for one in known_courses() if one[0].startswith(("demo ", "oxygen"))]
    golden = read_golden()
    assert [name for name, _ in known_courses()] == list(golden)
    assert sum(name.startswith("seed ") for name in golden) == 500
    fever = {"fever_threshold_c": "38.5"}
    graded = graded_here((name, words | {"policy": fever}) for name, words in courses)
    found = compare({name: golden[name] for name, _ in courses}, graded)
    assert 0 < len(found.changed) < len(courses)
    write_golden(graded, tmp_path / "golden.jsonl")
    assert read_golden(tmp_path / "golden.jsonl") == graded


def test_another_checkout_grades_the_same_courses(tmp_path: Path) -> None:
    courses = [one for one in known_courses() if one[0].startswith("demo ")]
    graded, refused = graded_by(BASE_DIR, [*courses, ("faulty", {"therapy": {}})])
    assert graded == graded_here(courses)
    assert list(refused) == ["faulty"]


def test_a_commit_that_there_is_not_is_named() -> None:
    with pytest.raises(NoSuchCommitError, match="no-such-tag"), checkout_of("no-such-tag"):
        pass


def test_recorded_courses_are_found_in_folders_and_archives(tmp_path: Path) -> None:
    course = {"therapy": {"infused_at": "2024-01-01T00:00:00+00:00"}}
    (tmp_path / "in").mkdir()
    with gzip.open(tmp_path / "in" / "many.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(f"{json.dumps(course)}\n{json.dumps(course)}\n")
    (tmp_path / "one.json").write_text(json.dumps(course), "utf-8")
    (tmp_path / "other.json").write_text("[]", "utf-8")
    names = [name for name, _ in recorded_courses(tmp_path)]
    assert names == ["in/many.jsonl.gz 1", "in/many.jsonl.gz 2", "one.json 1"]


def test_check_compares_with_the_golden_file() -> None:
    makefile = (BASE_DIR / "Makefile").read_text("utf-8")
    check = makefile.partition("\ncheck:")[2].partition("\n\n")[0]
    assert "-m replay golden" in check

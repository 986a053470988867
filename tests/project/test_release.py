"""A release: its version stands once, and it says which grades it changes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from grading.course_file import read_course
from replay.courses import BASE_DIR
from replay.release import (
    CHANGELOG,
    HEADING,
    golden_digest,
    previous_release,
    section,
    top_section,
    version,
    with_section,
)
from replay.upgrade import course_files
from replay.upgrade import main as drill

TOP = top_section(CHANGELOG.read_text("utf-8"))


def test_the_top_release_says_which_grades_changed() -> None:
    assert TOP.count(HEADING) == 1
    written = TOP.partition(HEADING)[2].partition("### ")[0]
    assert f"Against `{previous_release()}`" in written
    assert re.search(
        r"^- Demonstration, worked and generated courses: \d+ of \d+ courses change", written, re.M
    )


def test_it_was_written_after_the_golden_file_changed_last() -> None:
    assert f"`replay/golden.jsonl` is {golden_digest()}." in TOP, "make release-notes"


def test_the_version_stands_once() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", version())
    package = json.loads((BASE_DIR / "package.json").read_text("utf-8"))
    assert "version" not in package
    image = (BASE_DIR / "Makefile").read_text("utf-8").partition("\nimage:")[2].partition("\n\n")[0]
    assert "docker build --tag crs-bedside:$(VERSION)" in image
    assert version() not in image


def test_a_released_section_has_the_version_and_its_day() -> None:
    title = TOP.partition("\n")[0]
    assert title == "Unreleased" or re.fullmatch(
        rf"{re.escape(version())} \(\d{{4}}-\d\d-\d\d\)", title
    )


CHANGES = """\
# Changelog

## Unreleased

### Grading

- A rule.

### Added

- A page.

## 0.0.1 (2026-01-01)

### Added

- All of it.
"""


def test_a_section_is_written_before_what_was_added_and_again_in_its_place() -> None:
    first = section("v0", [("Recorded courses", ["0 of 2 courses change"])])
    second = section("v1", [("Recorded courses", ["1 of 2 courses change, these:", "  a: b"])])
    once = with_section(CHANGES, first)
    assert once.index("- A rule.") < once.index(HEADING) < once.index("- A page.")
    twice = with_section(once, second)
    assert "`v0`" not in twice
    assert "- Recorded courses: 1 of 2 courses change, these:\n  - a: b\n" in twice
    assert twice.replace(f"{second}\n", "") == CHANGES


def test_the_upgrade_drill_charts_courses_of_patients_of_their_own(tmp_path: Path) -> None:
    files = course_files(tmp_path / "courses")
    courses = [read_course(Path(file).read_bytes()) for file in files]
    assert len({course.patient.mrn for course in courses}) == len(files) > 90


def test_a_release_that_git_does_not_know_ends_the_drill(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert drill(["no-such-release"]) == 1
    assert "no-such-release" in capsys.readouterr().err

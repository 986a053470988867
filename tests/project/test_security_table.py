"""The table of ASVS 5.0 in docs/security.md names each requirement once, and tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

TEXT = (settings.BASE_DIR / "docs" / "security.md").read_text("utf-8")
TABLE = TEXT.partition("## OWASP ASVS")[2]
ROWS = re.findall(r"^\| (\d[\d., ]+) \| (\S+) \| (.+) \|$", TABLE, re.MULTILINE)

# Section: the numbers of its requirements of levels 1 and 2.
SECTIONS = {
    "1.1": range(1, 3), "1.2": range(1, 10), "1.3": range(1, 12), "1.4": range(1, 4),
    "1.5": range(1, 3), "2.1": range(1, 4), "2.2": range(1, 4), "2.3": range(1, 5),
    "2.4": range(1, 2), "3.2": range(1, 3), "3.3": range(1, 5), "3.4": range(1, 7),
    "3.5": range(1, 6), "3.7": range(1, 3), "4.1": range(1, 4), "4.2": range(1, 2),
    "4.3": range(1, 3), "4.4": range(1, 5), "5.1": range(1, 2), "5.2": range(1, 4),
    "5.3": range(1, 3), "5.4": range(1, 4), "6.1": range(1, 4), "6.2": range(1, 13),
    "6.3": range(1, 5), "6.4": range(1, 5), "6.5": range(1, 6), "6.6": range(1, 4),
    "6.8": range(1, 5), "7.1": range(1, 4), "7.2": range(1, 5), "7.3": range(1, 3),
    "7.4": range(1, 6), "7.5": range(1, 3), "7.6": range(1, 3), "8.1": range(1, 3),
    "8.2": range(1, 4), "8.3": range(1, 2), "8.4": range(1, 2), "9.1": range(1, 4),
    "9.2": range(1, 5), "10.1": range(1, 3), "10.2": range(1, 3), "10.3": range(1, 5),
    "10.4": range(1, 12), "10.5": range(1, 6), "10.6": range(1, 3), "10.7": range(1, 4),
    "11.1": range(1, 3), "11.2": range(1, 4), "11.3": range(1, 4), "11.4": range(1, 5),
    "11.5": range(1, 2), "11.6": range(1, 2), "12.1": range(1, 4), "12.2": range(1, 3),
    "12.3": range(1, 5), "13.1": range(1, 2), "13.2": range(1, 6), "13.3": range(1, 3),
    "13.4": range(1, 6), "14.1": range(1, 3), "14.2": range(1, 5), "14.3": range(1, 4),
    "15.1": range(1, 4), "15.2": range(1, 4), "15.3": range(1, 8), "16.1": range(1, 2),
    "16.2": range(1, 6), "16.3": range(1, 5), "16.4": range(1, 4), "16.5": range(1, 4),
    "17.1": range(1, 2), "17.2": range(1, 5), "17.3": range(1, 3),
}  # fmt: skip


def test_each_requirement_of_level_2_stands_in_one_row() -> None:
    expected = [f"{section}.{one}" for section, numbers in SECTIONS.items() for one in numbers]
    named = [each for numbers, _, _ in ROWS for each in numbers.split(", ")]
    assert sorted(named) == sorted(expected)


def test_each_row_says_met_not_applicable_or_open_and_why() -> None:
    assert {state for _, state, _ in ROWS} == {"met", "n/a", "open"}
    assert all(why.strip() for _, _, why in ROWS)


def test_each_test_that_is_named_exists() -> None:
    tests = Path(__file__).parent.parent
    named = re.findall(r"`([\w/]+/test_\w+\.py)::(\w+)`", TABLE)
    assert len(named) > 50
    for file, name in set(named):
        assert f"def {name}(" in (tests / file).read_text("utf-8"), (file, name)

"""Text of a chart: what a page shows of it."""

from __future__ import annotations

import pytest

from grading.plain_text import for_a_page


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("rigors at 10", "rigors at 10"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("Müller", "Müller"),
        ("turned\u202earound", "turned<U+202E>around"),
        ("half \ud800", "half <U+D800>"),
        ("bell\x07", "bell<U+0007>"),
    ],
)
def test_a_character_that_cannot_be_shown_stands_by_its_name(stored: str, shown: str) -> None:
    assert for_a_page(stored) == shown

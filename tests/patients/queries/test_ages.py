"""The age of a patient in words."""

from datetime import date, datetime

import pytest
from django.utils import timezone

from patients.queries.ages import age_text_of


@pytest.mark.parametrize(
    ("born", "today", "words"),
    [
        ("2026-03-01", "2026-03-01", "0 d"),
        ("2026-03-01", "2026-03-19", "18 d"),
        ("2026-03-01", "2026-03-28", "27 d"),
        ("2026-03-01", "2026-03-29", "28 d"),
        ("2026-03-01", "2026-04-01", "1 mo"),
        ("2026-02-01", "2026-03-01", "1 mo"),
        ("2024-03-02", "2026-03-01", "23 mo"),
        ("2024-03-01", "2026-03-01", "2 y"),
        ("1970-03-01", "2026-02-28", "55 y"),
    ],
)
def test_a_newborn_is_counted_in_days_and_a_small_child_in_months(
    born: str, today: str, words: str
) -> None:
    at = timezone.make_aware(datetime.fromisoformat(f"{today}T12:00"))
    assert age_text_of(date.fromisoformat(born), at) == words

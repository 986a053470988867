"""The address of a flowsheet: window, columns, order, rows, and what is wrong with it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from crs_app.accounts.models import User
from grading.engine.vocabulary import VITAL_SIGN
from patients.display.site_times import site_time
from patients.models import Course
from patients.review.flowsheet_columns import boundary_at, by_the_hour, next_boundary
from tests.factories import admit, ago, chart
from tests.patients.review.flowsheet_page import page, rows_of, sheet_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("field", "query"),
    [
        ("bin", {"bin": "7"}), ("order", {"order": "up"}), ("rows", {"rows": "\x00"}),
        ("end", {"end": "yesterday"}), ("end", {"end": "2026-02-30T10:00"}),
        ("end", {"end": "2199-01-01T00:00:00+00:00"}), ("end", {"end": "0001-01-01T00:00"}),
        ("span", {"span": "-4"}), ("span", {"span": "99999999999999999999"}),
        ("to", {"from": "2026-01-01T10:00:00+00:00"}),
        ("end", {"from": "2026-01-01T10:00:00+00:00", "span": "4"}),
        ("to", {"from": "2026-01-02T10:00:00+00:00", "to": "2026-01-01T10:00:00+00:00"}),
        ("to", {"from": "1990-01-02T10:00:00+00:00", "to": "2026-01-01T10:00:00+00:00"}),
        ("end", {"bin": "1", "span": "600", "end": "2026-01-01T10:00:00+00:00"}),
        ("end", {"end": "1900-01-01T00:30:00+00:00"}),
        ("known_at", {"known_at": "2199-01-01T00:00:00+00:00"}),
        ("known_at", {"known_at": "9999-12-31T23:59:59-14:00"}),
        ("known_at", {"known_at": "2026-01-01T10:00:00 00:00"}),
    ],
)  # fmt: skip
def test_a_bad_address_is_answered_with_words_and_the_default(
    field: str, query: dict[str, str], nurse_client: Client, course: Course
) -> None:
    answer = page(nurse_client, course, **query)
    assert answer.status_code == 400
    assert list(answer.context["errors"]) == [field]
    assert "2200" not in str(answer.context["errors"])
    assert len(answer.context["sheet"].columns) > 0


@pytest.mark.parametrize(
    ("bin_", "span", "columns", "hours"),
    [("1", 24, 24, {1}), ("1", 12, 12, {1}), ("4", 72, 18, {4}), ("12", 120, 10, {12})],
)
def test_columns_are_hours_of_the_clock(
    bin_: str, span: int, columns: int, hours: set[int], nurse_client: Client, course: Course
) -> None:
    sheet = sheet_of(nurse_client, course, bin=bin_, span=span)
    assert len(sheet.columns) == columns
    assert {(c.end - c.start) / timedelta(hours=1) for c in sheet.columns} == hours
    assert sheet.columns[-1].start <= timezone.now() < sheet.columns[-1].end


def test_the_newest_first_mirrors_the_columns_and_no_row(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    chart(course, nurse, "vitals", ago(hours=5), temperature_c="39", systolic_mmhg="85")
    last = sheet_of(nurse_client, course)
    first = sheet_of(nurse_client, course, order="first")
    assert first.columns == last.columns[::-1]
    mirrored = {key: cells[::-1] for key, cells in rows_of(first).items()}
    assert mirrored == rows_of(last)
    assert list(mirrored) == list(rows_of(last))


@pytest.mark.parametrize("rows", ["vital_signs", "oxygen_and_drugs", "results", "findings"])
def test_a_filter_keeps_the_grade_and_its_reasons(
    rows: str, nurse_client: Client, course: Course, nurse: User
) -> None:
    chart(course, nurse, "vitals", ago(hours=5), temperature_c="39")
    whole, part = sheet_of(nurse_client, course), sheet_of(nurse_client, course, rows=rows)
    assert [s.key for s in part.sections][:2] == ["grade", "criteria"]
    shown = rows_of(part)
    assert shown == {key: rows_of(whole)[key] for key in shown}
    assert len(shown) < len(rows_of(whole)) or rows == "vital_signs"


def test_the_hour_that_the_clocks_repeat_is_two_columns(
    nurse_client: Client, nurse: User, settings: Any
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    course = admit(nurse, infused_at=datetime.fromisoformat("2025-10-24T10:00:00+02:00"))
    sheet = sheet_of(
        nurse_client, course, end="2025-10-26T12:00:00+01:00", span=24
    )  # fmt: skip
    labels = [column.label for column in sheet.columns]
    assert len(labels) == 24
    assert labels[labels.index("02+02") + 1] == "02+01"
    ambiguous = page(nurse_client, course, end="2025-10-26T02:30")
    assert ambiguous.status_code == 400
    assert "occurred twice" in ambiguous.content.decode()
    skipped = page(nurse_client, course, end="2026-03-29T02:30")
    assert "did not exist" in skipped.content.decode()
    wide = sheet_of(nurse_client, course, bin="4", end="2025-10-26T12:00:00+01:00", span=48)
    lengths = {(c.end - c.start) / timedelta(hours=1) for c in wide.columns}
    assert lengths == {4, 5}
    assert sum((c.end - c.start for c in wide.columns), timedelta()) == wide.end - wide.start


def test_columns_keep_to_their_hours_after_a_change_of_clocks(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    forward = datetime.fromisoformat("2026-03-28T22:00:00+01:00")
    day_after = datetime.fromisoformat("2026-03-29T14:00:00+02:00")
    starts = [site_time(at).hour for at in by_the_hour(forward, day_after, 4)]
    assert starts == [22, 3, 6, 10, 14], "02:00 did not exist: the clocks showed 03:00"


@pytest.mark.parametrize("changed_at", ["2026-04-04T15:00+00:00", "2026-10-03T15:30+00:00"])
def test_half_an_hour_of_a_change_of_clocks_is_in_a_column(settings: Any, changed_at: str) -> None:
    """Lord Howe Island has the half hour before 02:00 twice in April, none after it in October."""
    settings.TIME_ZONE = "Australia/Lord_Howe"
    changed = datetime.fromisoformat(changed_at)
    for minutes in range(-120, 121, 5):
        at = changed + timedelta(minutes=minutes)
        assert boundary_at(at, 1) <= at < next_boundary(at, 1)
        end = next_boundary(changed + timedelta(hours=4), 1)
        assert by_the_hour(boundary_at(at, 1), end, 1)[-1] == end


def test_an_empty_window_names_the_last_entry(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    chart(course, nurse, "vitals", ago(hours=40), heart_rate="80")
    answer = page(nurse_client, course, end=timezone.now() - timedelta(hours=2))
    assert "Nothing charted" in answer.context["sheet"].empty_text
    assert b"Last entry" in answer.content
    assert [row.key for row in answer.context["sheet"].sections[2].rows] == list(VITAL_SIGN)

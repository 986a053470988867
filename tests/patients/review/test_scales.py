"""ASTCT and ICANS on the review pages and the flowsheet: beside Lee, and never the grade."""

import html
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from crs_app.accounts.models import User
from patients.models import Course
from patients.review.flowsheet_cells import Cell
from tests.patients.review.flowsheet_page import rows_of, sheet_of
from tests.patients.review.scale_course import ENTRIES, after, entry, imported

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site_in_utc")]


@pytest.fixture
def course(nurse: User) -> Course:
    return imported(nurse, *ENTRIES)


def answered(client: Client, course: Course, name: str, **query: str) -> Any:
    answer = client.get(f"{reverse(f'patients:{name}', args=[course.pk])}?{urlencode(query)}")
    assert answer.status_code == 200, answer.content.decode()[:2000]
    return answer


Level = tuple[float, float | None, int | None, int]


def levels(client: Client, course: Course, key: str, **query: str) -> list[Level]:
    """From and to in hours after the infusion, grade and bound."""
    begun = datetime.fromisoformat(after(0)).timestamp()
    found = answered(client, course, "review_scales", **query).json()["scales"]
    return [
        (
            (one["from"] - begun) / 3600,
            None if one["to"] is None else (one["to"] - begun) / 3600,
            one["grade"],
            one["at_most"],
        )
        for scale in found
        if scale["key"] == key
        for one in scale["levels"]
    ]


def test_the_ribbons_have_each_grade_what_it_could_be_and_what_was_not_assessed(
    nurse_client: Client, course: Course
) -> None:
    assert levels(nurse_client, course, "astct-2019")[:5] == [
        (0, 2, None, 0), (2, 10, 0, 0), (10, 20, 1, 2), (20, 21, 2, 2), (21, 41, 3, 3),
    ]  # fmt: skip
    assert levels(nurse_client, course, "icans-2019") == [
        (0, 4, None, 0), (4, 22, 0, 0), (22, 30, None, 4), (30, 42, 1, 1), (42, None, 0, 0),
    ]  # fmt: skip


def test_the_ribbons_are_those_that_were_known_then(nurse: User, nurse_client: Client) -> None:
    late = [
        entry("ice", 12, score=5, late_h=10),
        entry("ice", 16, score=10),
        entry("vitals", 12, temperature_c="38.4", late_h=8),
    ]
    course = imported(nurse, *ENTRIES[:3], *late)
    before, later = ({"known_at": after(hours)} for hours in (18, 24))
    assert levels(nurse_client, course, "icans-2019", **before) == [
        (0, 4, None, 0), (4, None, 0, 0),
    ]  # fmt: skip
    assert (12, 16, 2, 2) in levels(nurse_client, course, "icans-2019", **later)
    assert [one[2] for one in levels(nurse_client, course, "astct-2019", **before)] == [None, 0]
    assert [one[2] for one in levels(nurse_client, course, "astct-2019", **later)] == [None, 0, 1]


def panel(client: Client, course: Course, name: str = "review_scales_at", **query: str) -> str:
    """The words of the panel."""
    text = answered(client, course, name, **query).content.decode()
    text = text[text.index('id="scales-at"') :]
    words = re.sub(r"<[^>]*>|id=[^>]*>", " ", text[: text.index("</section>")])
    return re.sub(r" ([,.])", r"\1", " ".join(words.split()))


def test_the_panel_of_an_instant_says_why_a_scale_differs(
    nurse_client: Client, course: Course
) -> None:
    for name in ("review_scales_at", "instant"):
        text = panel(nurse_client, course, name, at=after(25))
        assert "not the grade ASTCT 2019 3 " in text
        assert "ICANS 2019 not assessed, could be 4" in text
        assert "ASTCT 3: one vasopressor counts at any dose" in text
        assert "Lee 2: one vasopressor, not at Table 3's dose" in html.unescape(text)
        assert "Not verified: text beyond the table" in text
    text = panel(nurse_client, course, at=after(31))
    assert "ICANS 2019 1 at " in text
    assert "ICANS 1:" not in text  # not compared with a grade of CRS


def test_the_panel_is_that_of_what_was_known_then(nurse: User, nurse_client: Client) -> None:
    course = imported(nurse, *ENTRIES[:3], entry("ice", 12, score=5, late_h=10))
    then, today = {"at": after(13), "known_at": after(13)}, {"at": after(13)}
    assert "ICE 5" not in panel(nurse_client, course, **then)
    assert "ICE 5" in panel(nurse_client, course, **today)


@pytest.mark.usefixtures("as_owner")
def test_a_course_whose_checkpoints_are_older_has_the_same_scales(
    nurse: User, nurse_client: Client
) -> None:
    """Of such a course a late entry is known at instants before it was charted, too."""
    rounds = [entry("vitals", 13 + hour / 4, heart_rate="90") for hour in range(60)]
    late = entry("ice", 12, score=5, late_h=40)
    course = imported(nurse, *ENTRIES, *rounds, late)

    def shown() -> list[Any]:
        sheets = [rows_of(sheet_of(nurse_client, course, **_window(start))) for start in (0, 24)]
        return [panel(nurse_client, course, at=after(hours)) for hours in (13, 25, 43)] + sheets

    with_facts = shown()
    assert "ICE 5" in with_facts[0]
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE patients_gradecheckpoint"
            " SET state = state - 'other_scales', holds_other_scales = false"
        )
        assert cursor.rowcount > 0
        cursor.execute("SET session_replication_role = origin")
    assert shown() == with_facts


def _window(hours: float) -> dict[str, str]:
    return {"from": after(hours), "to": after(hours + 24), "bin": "4"}


def shown(cells: Sequence[Cell]) -> list[str]:
    return [cell.shown or cell.text for cell in cells]


def test_the_flowsheet_has_the_highest_of_each_column(nurse_client: Client, course: Course) -> None:
    found = rows_of(sheet_of(nurse_client, course, **_window(0)))
    assert shown(found["astct-2019"]) == ["0", "0", "1 ?2", "1 ?2", "1 ?2", "3"]
    assert shown(found["icans-2019"]) == ["–", "0", "0", "0", "0", "0 ?4"]
    later = rows_of(sheet_of(nurse_client, course, **_window(24)))
    assert shown(later["astct-2019"])[:5] == ["3"] * 5
    assert shown(later["icans-2019"]) == ["?4", "1 ?4", "1", "1", "1", "0"]


def test_a_window_of_the_flowsheet_says_what_the_whole_course_says(
    nurse_client: Client, course: Course
) -> None:
    """Each column by the ribbons, which are read over the whole course."""
    begun = datetime.fromisoformat(after(0)).timestamp()
    for key in ("astct-2019", "icans-2019"):
        every = levels(nurse_client, course, key)
        for start in (8, 21, 24, 33):
            sheet = sheet_of(nurse_client, course, **_window(start))
            for column, cell in zip(sheet.columns, rows_of(sheet)[key], strict=True):
                first, end = ((at.timestamp() - begun) / 3600 for at in (column.start, column.end))
                held = [one for one in every if one[0] < end and (one[1] or end) > first]
                grades = [one[2] for one in held if one[2] is not None]
                if grades:
                    assert cell.text.split()[0] == str(max(grades))
                else:
                    assert cell.kind in ("none", "bound", "ahead")


def test_capd_is_the_tool_of_a_child(nurse: User, nurse_client: Client) -> None:
    course = imported(
        nurse, *ENTRIES[:2], entry("ice", 4, score=3), entry("capd", 8, score=0), age_years=8
    )
    assert levels(nurse_client, course, "icans-2019") == [(0, 8, None, 0), (8, None, 0, 0)]


def test_the_page_itself_reads_no_scale(nurse_client: Client, course: Course) -> None:
    """They are asked for once the page is there: its plots name the address."""
    text = answered(nurse_client, course, "review").content.decode()
    assert "data-scales=" in text
    assert "review/scales/?" in text
    assert 'id="scales-at"' not in text


@pytest.mark.parametrize("name", ["review_scales", "review_scales_at"])
def test_an_address_that_cannot_be_shown_says_why(
    name: str, nurse_client: Client, course: Course
) -> None:
    address = reverse(f"patients:{name}", args=[course.pk])
    answer = nurse_client.get(f"{address}?at=tomorrow")
    assert answer.status_code == 400
    assert "at" in answer.content.decode()

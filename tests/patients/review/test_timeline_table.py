"""The table in the place of the timeline over HTTP: its rows, its window, its addresses."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from crs_app.accounts.models import User
from patients.display.timeline import TIMELINE_KINDS
from patients.models import Course
from tests.entry_forms import HTMX, form, url
from tests.factories import ago, chart

pytestmark = pytest.mark.django_db


def table(client: Client, course: Course, **asked: str) -> Any:
    return client.get(url("timeline_table", course), asked, **HTMX)


def sections(answer: Any) -> list[str]:
    return [section.key for section in answer.context["sheet"].sections]


@pytest.fixture
def charted(course: Course, nurse: User) -> Course:
    chart(course, nurse, "vitals", ago(hours=2), temperature_c="39")
    chart(course, nurse, "oxygen", ago(hours=2), device="nasal_cannula", flow_l_per_min="2")
    chart(course, nurse, "lab", ago(hours=2), analyte="crp", value="142", unit="mg/L")
    chart(course, nurse, "note", ago(hours=2), note="Family informed")
    return course


@pytest.mark.parametrize("kind", [key for key, _ in TIMELINE_KINDS])
def test_each_filter_of_the_timeline_has_its_rows_or_says_that_it_has_none(
    charted: Course, nurse_client: Client, kind: str
) -> None:
    answer = table(nurse_client, charted, kind=kind)
    shown = {
        "vitals": "vital_signs", "oxygen": "oxygen", "lab": "results", "note": "notes",
    }.get(kind)  # fmt: skip
    if shown:
        assert sections(answer) == ["grade", "criteria", shown]
    if kind in ("guidance", "review", "transfer", "identity", "scale_change"):
        assert "has no rows in the table" in answer.content.decode()
    else:
        assert "has no rows in the table" not in answer.content.decode()


def test_a_day_ends_the_window_and_stays_in_the_addresses(
    charted: Course, nurse_client: Client
) -> None:
    yesterday = (timezone.localtime() - timedelta(days=1)).date()
    answer = table(nurse_client, charted, kind="vitals", day=f"{yesterday}", bin="4")
    assert timezone.localtime(answer.context["sheet"].end).date() == yesterday + timedelta(days=1)
    assert answer["HX-Push-Url"].endswith(f"?view=table&show=vitals&day={yesterday}&bin=4")
    assert f"day={yesterday}" in answer.context["bins"][1].href
    assert "day=" not in answer.context["earlier"]


def test_a_bad_column_width_is_named_and_the_default_is_shown(
    charted: Course, nurse_client: Client
) -> None:
    answer = table(nurse_client, charted, bin="7")
    assert answer.status_code == 200
    assert "The default is shown." in answer.content.decode()


def test_a_save_sends_no_rows_to_a_page_that_shows_the_table(
    charted: Course, nurse_client: Client
) -> None:
    shows_table = {"HX-Request": "true", "CRS-Shown": "guidance=; timeline=table; day="}
    sent = form(temperature_unit="c", temperature="38.2")
    answer = nurse_client.post(url("entries", charted, "vitals"), sent, headers=shows_table)
    body = answer.content.decode()
    assert answer.status_code == 200
    assert "timeline-rows" not in body
    assert 'id="timeline"' not in body
    assert 'id="grade-card"' in body

"""The timeline: text and time of its rows."""

import re
from datetime import timedelta
from typing import Any
from unittest import mock

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from patients.bedside.timeline import timeline_of
from patients.models import Course
from tests.factories import admit, chart, correct, sending

HTMX: dict[str, Any] = {"headers": {"HX-Request": "true"}}


def test_a_corrected_dose_is_shown_with_the_weight_of_its_own_time(clinician: User) -> None:
    """The replaced text keeps its weight, also where the correction has another."""
    course = admit(clinician, weight_kg="70")
    first = chart(
        course, clinician, "vasopressor", course.infused_at + timedelta(hours=1),
        drug="norepinephrine", rate="0.2", unit="ug/kg/min",
    )  # fmt: skip
    later = course.infused_at + timedelta(hours=3)
    chart(course, clinician, "weight", course.infused_at + timedelta(hours=2), weight_kg="80")
    (wrong,) = first.entries
    correct(wrong, later, {**wrong.body, "rate": "0.25"}, sending(clinician))
    rows = timeline_of(course.pk, timezone.now()).rows
    (row,) = [row for row in rows if row.kind == "vasopressor"]
    assert row.text == "Norepinephrine 0.25 mcg/kg/min × 80 kg = 20 mcg/min"
    assert [old.old_text for old in row.corrected] == [
        "Norepinephrine 0.2 mcg/kg/min × 70 kg = 14 mcg/min"
    ]


def test_a_row_has_its_date_on_another_day(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    at = course.infused_at + timedelta(hours=1)
    chart(course, clinician, "vitals", at, heart_rate="93")
    there = timezone.localtime(at)

    def times() -> list[str]:
        html = nurse_client.get(reverse("patients:timeline", args=[course.pk]), **HTMX).content
        return re.findall(r"<time [^>]*>([^<]*)</time>", html.decode())

    assert times()[0] == f"{there.day} {there:%b} {there:%H:%M}"
    with mock.patch.object(timezone, "now", return_value=at):
        assert times()[0] == f"{there:%H:%M}"

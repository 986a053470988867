"""The parts of the page that a save sends: only what it changed."""

import re
import uuid
from datetime import timedelta
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from patients.forms.unchanged import EmptyTicks
from patients.models import Course, Entry
from tests.entry_forms import HTMX, form, rows_of, url, vitals
from tests.factories import chart
from tests.patients.guidance_panel import panel


def test_a_save_brings_the_guidance_along(nurse_client: Client, course: Course) -> None:
    sent = {"form_id": str(uuid.uuid4()), "attribution": "crs", "temperature_unit": "c"}
    address = reverse("patients:entries", args=[course.pk, "vitals"])
    answer = nurse_client.post(address, {**sent, "temperature": "38.6"}, **HTMX)
    assert answer.context["guidance"].asked
    assert b'id="guidance"' in answer.content


def test_a_save_leaves_guidance_alone_that_reads_as_it_did(
    nurse_client: Client, grade_1: Course
) -> None:
    """The page says what it shows as it saves, and learns what it should show."""

    def saved(shown: str, **typed: str) -> Any:
        sent = {"form_id": str(uuid.uuid4()), "attribution": "crs", "temperature_unit": "c"}
        address = reverse("patients:entries", args=[grade_1.pk, "vitals"])
        headers = {"HX-Request": "true", "CRS-Shown": f"guidance={shown}"}
        return nurse_client.post(address, {**sent, **typed}, headers=headers)

    shown = panel(grade_1).signature
    same = saved(shown, heart_rate="90")
    assert same["CRS-Shown"] == f"guidance={shown}"
    assert b'id="guidance"' not in same.content
    assert b'id="guidance-top-item"' not in same.content
    other = saved(shown, temperature="36.8")
    assert other["CRS-Shown"] == f"guidance={panel(grade_1).signature}" != f"guidance={shown}"
    assert b'id="guidance"' in other.content
    assert b'id="guidance-top-item"' in other.content


def test_a_set_of_vital_signs_is_saved_and_answered_with_what_changed(
    nurse_client: Client, course: Course
) -> None:
    sent = vitals(temperature="38.4", systolic_mmhg="104", diastolic_mmhg="58")
    answer = nurse_client.post(url("entries", course, "vitals"), sent, **HTMX)
    assert answer.status_code == 200
    saved = answer.context["saved"]
    assert saved.card.grade == 1
    assert saved.announcement == "Not assessed to grade 1"
    assert [row.kind for row in rows_of(saved)] == ["grade_change", "vitals"]
    assert rows_of(saved)[1].text == "Temp 38.4 °C · BP 104/58"
    assert saved.timeline is None
    assert saved.banner is None
    assert answer.context["previous"]["temperature"].text == "38.4 °C"
    assert isinstance(answer.context["form"], EmptyTicks)


def earlier(entry: Entry, **typed: str) -> dict[str, str]:
    """A set of vital signs two hours before ``entry``."""
    late = timezone.localtime(entry.at - timedelta(hours=2))
    return vitals(observed_date=f"{late:%Y-%m-%d}", observed_time=f"{late:%H:%M}", **typed)


def test_a_late_entry_that_changes_no_grade_brings_its_row_alone(
    nurse_client: Client, course: Course, entry: Entry
) -> None:
    sent = earlier(entry, heart_rate="90")
    saved = nurse_client.post(url("entries", course, "vitals"), sent, **HTMX).context["saved"]
    assert saved.timeline is None
    (row,) = rows_of(saved)
    assert row.text == "HR 90"
    assert re.fullmatch(r"charted 2 h 3\d min later", row.late_text)


def test_a_page_gets_no_row_that_is_older_than_all_it_shows(
    nurse_client: Client, course: Course, entry: Entry
) -> None:
    """It comes with the older rows; a timeline that is sent whole reaches as far as before."""

    def saved(**typed: str) -> Any:
        shown = f"guidance=; timeline=; day=; until={entry.pk}; parts="
        headers = {"HX-Request": "true", "CRS-Shown": shown}
        sent = earlier(entry, **typed)
        return nurse_client.post(url("entries", course, "vitals"), sent, headers=headers).context[
            "saved"
        ]

    chart(course, entry.recorded_by, "vitals", entry.at - timedelta(hours=3), heart_rate="80")
    below = saved(heart_rate="90")
    assert (below.new_rows, below.timeline) == ([], None)
    whole = saved(temperature="38.6")
    assert whole.timeline.rows[-1].entry_id == entry.pk
    assert whole.timeline.older == str(entry.pk)


def test_a_late_entry_brings_the_grades_that_it_adds(
    nurse_client: Client, course: Course, entry: Entry
) -> None:
    """The grade after the fever was 1 before; that it rises again at the fever is new.

    Between them nothing but temperatures is known, so that no grade 0 is shown.
    """
    chart(course, entry.recorded_by, "vitals", entry.at - timedelta(hours=1), temperature_c="36.8")
    sent = earlier(entry, temperature="38.4")
    saved = nurse_client.post(url("entries", course, "vitals"), sent, **HTMX).context["saved"]
    assert saved.timeline is None
    assert [row.text for row in rows_of(saved) if row.kind == "vitals"] == ["Temp 38.4 °C"]
    changes = [row for row in rows_of(saved) if row.icon_grade is not None]
    assert [(row.grade_before, row.icon_grade) for row in changes] == [(1, 0), (0, 1)]
    assert [(row.shown_before, row.shown_grade) for row in changes] == [("1", "–"), ("–", "1")]


def test_a_late_entry_that_takes_a_change_of_grade_away_redraws_the_timeline(
    nurse_client: Client, course: Course, entry: Entry
) -> None:
    """The fever began two hours before: what had risen at the entry has not risen there."""
    sent = earlier(entry, temperature="38.6")
    saved = nurse_client.post(url("entries", course, "vitals"), sent, **HTMX).context["saved"]
    assert saved.new_rows is None
    changes = [row for row in saved.timeline.rows if row.kind == "grade_change"]
    begins = (entry.at - timedelta(hours=2)).replace(second=0, microsecond=0)
    assert [row.at for row in changes] == [begins]


def test_a_late_weight_redraws_the_timeline(
    nurse_client: Client, course: Course, entry: Entry
) -> None:
    """The doses after it are shown with the new weight."""
    late = timezone.localtime(entry.at - timedelta(hours=2))
    sent = form(weight_kg="77.5", observed_date=f"{late:%Y-%m-%d}", observed_time=f"{late:%H:%M}")
    answer = nurse_client.post(url("entries", course, "weight"), sent, **HTMX)
    assert answer.context["saved"].timeline is not None


def test_a_weight_changes_the_banner(nurse_client: Client, course: Course) -> None:
    sent = form(weight_kg="77.5")
    answer = nurse_client.post(url("entries", course, "weight"), sent, **HTMX)
    assert answer.context["banner"].weight_text == "77.5 kg"

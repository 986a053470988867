"""Charting, correcting and retracting over HTTP: what is saved, refused and in conflict."""

import re
import uuid
from unittest import mock

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from patients.models import Course, Entry, EntryKind
from patients.recording.admit import admit_patient
from tests.entry_forms import HTMX, form, url, vitals
from tests.factories import AdmissionFactory, chart, correct, sending


def test_what_does_not_exist_is_not_found(nurse_client: Client, course: Course) -> None:
    nothing = uuid.uuid4()
    assert nurse_client.get(reverse("patients:bedside", args=[nothing])).status_code == 404
    assert nurse_client.get(url("entries", course, "weather")).status_code == 404
    assert nurse_client.get(url("correct", course, nothing)).status_code == 404
    assert nurse_client.post(url("retract", course, nothing)).status_code == 404


def test_an_entry_of_another_course_is_not_found(
    nurse_client: Client, course: Course, entry: Entry, clinician: User
) -> None:
    other = admit_patient(AdmissionFactory(), [], sending(clinician)).course
    assert nurse_client.get(url("retract", other, entry.pk)).status_code == 404


def test_without_htmx_a_save_goes_back_to_the_page(nurse_client: Client, course: Course) -> None:
    answer = nurse_client.post(url("entries", course, "vitals"), vitals(temperature="38.4"))
    assert answer.status_code == 302
    assert answer["Location"] == url("bedside", course)


def test_what_is_refused_is_shown_with_what_was_typed(nurse_client: Client, course: Course) -> None:
    before = Entry.objects.count()
    for headers in ({}, HTMX):
        sent = vitals(temperature="391", systolic_mmhg="104", note="kept")
        answer = nurse_client.post(url("entries", course, "vitals"), sent, **headers)
        assert answer.status_code == 422
        assert "391" in answer.content.decode()
        (error,) = answer.context["form"].errors["temperature"]
        assert error == "391 °C is not possible: expected 25 to 45 °C."
    assert Entry.objects.count() == before


@pytest.mark.parametrize("sent", [{}, {"form_id": "no"}, {"form_id": "no", "temperature": "\x00"}])
def test_nonsense_is_refused_not_fatal(
    nurse_client: Client, course: Course, entry: Entry, sent: dict[str, str]
) -> None:
    for kind in ("vitals", "oxygen", "vasopressor", "fluid_bolus", "weight"):
        assert nurse_client.post(url("entries", course, kind), sent).status_code == 422
    for name in ("correct", "retract"):
        assert nurse_client.post(url(name, course, entry.pk), sent).status_code == 422
    assert nurse_client.post(reverse("patients:admit"), sent).status_code == 422


def test_the_same_form_twice_is_one_entry(nurse_client: Client, course: Course) -> None:
    sent = vitals(temperature="38.4")
    for _ in range(2):
        answer = nurse_client.post(url("entries", course, "vitals"), sent, **HTMX)
        assert answer.status_code == 200
        assert answer.context["saved"].card.grade == 1
    assert answer.context["saved"].is_replay
    assert Entry.objects.filter(kind="vitals").count() == 1


def test_a_form_sent_again_is_answered_alike_though_the_chart_has_gone_on(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    """Oxygen was ticked as unchanged and saved, the answer lost; meanwhile the mask was changed.

    Sent again from the page, with the time of the first Save, the tick is no longer true.
    """
    chart(course, clinician, "oxygen", device="nasal_cannula", flow_l_per_min="2")
    page = nurse_client.get(url("entries", course, "vitals"), **HTMX)
    tick = re.search(r'value="(\w+)"[^>]*name="oxygen_unchanged"', page.content.decode())
    tick = tick or re.search(r'name="oxygen_unchanged"[^>]*value="(\w+)"', page.content.decode())
    assert tick is not None
    fields = vitals(heart_rate="92", oxygen_unchanged=tick[1], observed_time="", observed_date="")
    first = nurse_client.post(url("entries", course, "vitals"), fields, **HTMX)
    assert first.status_code == 200
    sent_at = timezone.now().isoformat()
    chart(course, clinician, "oxygen", timezone.now(), device="venturi_mask", fio2_percent="50")
    again = {**fields, "sent_at": sent_at, "opened_at": sent_at, "begun_at": sent_at}
    second = nurse_client.post(url("entries", course, "vitals"), again, **HTMX)
    assert "Saved already" in second.content.decode()
    assert course.entries.filter(kind=EntryKind.VITALS).count() == 1
    assert course.entries.filter(kind=EntryKind.OXYGEN).count() == 3

    other = {**again, "heart_rate": "93"}
    refused = nurse_client.post(url("entries", course, "vitals"), other, **HTMX)
    assert refused.status_code == 422
    assert course.entries.filter(kind=EntryKind.VITALS).count() == 1


def test_the_same_form_with_other_values_is_a_conflict(
    nurse_client: Client, course: Course
) -> None:
    sent = vitals(temperature="38.4")
    nurse_client.post(url("entries", course, "vitals"), sent, **HTMX)
    sent["temperature"] = "39.4"
    for headers in ({}, HTMX):
        answer = nurse_client.post(url("entries", course, "vitals"), sent, **headers)
        assert answer.status_code == 409
        assert answer.context["other"] is None
    assert Entry.objects.filter(kind="vitals").count() == 1


def test_a_correction_is_asked_for_a_reason_and_shown_struck_through(
    nurse_client: Client, course: Course, entry: Entry
) -> None:
    address = url("correct", course, entry.pk)
    opened = nurse_client.get(address, **HTMX).context["form"]
    assert opened["temperature"].value() == "38.5"
    there = timezone.localtime(entry.at)
    sent = vitals(
        temperature="36.5",
        observed_date=f"{there:%Y-%m-%d}",
        observed_time=f"{there:%H:%M}",
    )
    assert nurse_client.post(address, sent, **HTMX).status_code == 422
    answer = nurse_client.post(address, sent | {"reason": "decimal point"}, **HTMX)
    assert answer.status_code == 200
    rows = answer.context["saved"].timeline.rows
    (row,) = [row for row in rows if row.kind == "vitals"]
    assert row.text == "Temp 36.5 °C"
    assert [(old.old_text, old.reason) for old in row.corrected] == [
        ("Temp 38.5 °C", "decimal point")
    ]
    assert Entry.objects.get(replaces=entry).at == entry.at
    assert answer.context["saved"].announcement == "Grade 1 to not assessed"


def test_a_second_correction_shows_the_first_and_changes_nothing(
    nurse_client: Client, course: Course, entry: Entry, clinician: User
) -> None:
    correct(
        entry, entry.at, {"temperature_c": "37.1"}, sending(clinician, answers={"reason": "typo"})
    )
    sent = vitals(temperature="36.5", reason="another")
    for headers in ({}, HTMX):
        answer = nurse_client.post(url("correct", course, entry.pk), sent | form(), **headers)
        assert answer.status_code == 409
        assert answer.context["other"].text == "Temp 37.1 °C"
        assert answer.context["reason"] == "typo"


def test_a_retraction_needs_a_reason_and_stays_visible(
    nurse_client: Client, course: Course, entry: Entry
) -> None:
    address = url("retract", course, entry.pk)
    assert nurse_client.post(address, form(), **HTMX).status_code == 422
    answer = nurse_client.post(address, form(reason="other patient"), **HTMX)
    assert answer.status_code == 200
    (row,) = [row for row in answer.context["saved"].timeline.rows if row.kind == "vitals"]
    assert row.retracted
    assert row.retract_reason == "other patient"
    assert not row.can_retract
    again = nurse_client.post(address, form(reason="again"), **HTMX)
    assert again.status_code == 409
    assert again.context["was_retracted"]


def test_a_failing_save_is_not_a_half_save(nurse_client: Client, course: Course) -> None:
    before = Entry.objects.count()
    with (
        mock.patch("patients.recording.regrade.regrade", side_effect=ZeroDivisionError),
        pytest.raises(ZeroDivisionError),
    ):
        nurse_client.post(url("entries", course, "vitals"), vitals(temperature="39"), **HTMX)
    assert Entry.objects.count() == before

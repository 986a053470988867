"""Forms of notes, of what was not observed, and of a death, which is read back first."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from patients.display.text import clock_text
from patients.models import Course, Entry
from tests.entry_forms import HTMX, send, send_correction, text_of
from tests.factories import chart


def test_a_note_is_charted_shown_and_corrected(nurse_client: Client, course: Course) -> None:
    answer = send(nurse_client, course, "note", note="Family called\nat noon")
    assert answer.status_code == 200
    entry = Entry.objects.get(kind="note")
    assert entry.body == {"note": "Family called\nat noon"}
    answer = send_correction(nurse_client, course, entry, note="Family called at one")
    assert answer.status_code == 200
    text = text_of(answer.content.decode())
    assert text.count("Note: Family called at one") == 2  # the message and the row, not twice there
    assert Entry.objects.get(replaces=entry).body == {"note": "Family called at one"}


def tap(client: Client, course: Course, reason: str, **fields: Any) -> Any:
    form = {"form_id": str(uuid.uuid4()), "reason_not_observed": reason, **fields}
    return client.post(reverse("patients:not_observed", args=[course.pk]), form, **HTMX)


@pytest.mark.parametrize("reason", ["asleep", "refused", "off_ward"])
def test_one_tap_says_why_nothing_was_observed(
    nurse_client: Client, nurse: User, course: Course, reason: str
) -> None:
    """The observation before stays the last one, and as old as it is."""
    at = timezone.now() - timedelta(hours=5)
    chart(course, nurse, "vitals", at, temperature_c="39.1")
    answer = tap(nurse_client, course, reason)
    assert answer.status_code == 200
    entry = Entry.objects.get(kind="not_observed")
    assert entry.body == {"what": "vital_signs", "reason": reason}
    assert 'class="old"' in answer.content.decode()
    board = text_of(nurse_client.get(reverse("patients:board")).content.decode())
    assert f"Observed {clock_text(at, timezone.now())}" in board


def test_a_tap_sent_twice_is_charted_once(nurse_client: Client, course: Course) -> None:
    form_id = str(uuid.uuid4())
    for _ in range(2):
        assert tap(nurse_client, course, "asleep", form_id=form_id).status_code == 200
    assert tap(nurse_client, course, "refused", form_id=form_id).status_code == 409
    assert Entry.objects.filter(kind="not_observed").count() == 1


@pytest.mark.parametrize("reason", ["other", "busy", ""])
def test_a_tap_that_the_row_does_not_have_charts_nothing(
    nurse_client: Client, course: Course, reason: str
) -> None:
    assert tap(nurse_client, course, reason).status_code == 409
    assert not Entry.objects.filter(kind="not_observed").exists()


def test_another_reason_is_written_and_corrected(nurse_client: Client, course: Course) -> None:
    send(nurse_client, course, "not_observed", reason_not_observed="other", note="monitor away")
    entry = Entry.objects.get(kind="not_observed")
    answer = send_correction(nurse_client, course, entry, reason_not_observed="asleep", note="")
    assert answer.status_code == 200, answer.content.decode()
    corrected = Entry.objects.select_related("act").get(replaces=entry)
    assert corrected.body == {"what": "vital_signs", "reason": "asleep"}
    assert corrected.act.answers["reason"] == "misread"


@pytest.mark.parametrize(
    ("attribution", "meaning", "grade"),
    [
        ("crs", "grade 5 from", "5"),
        ("uncertain", "uncertain", "5"),
        ("other", "without a grade 5", "none"),
    ],
)
def test_a_death_is_recorded_when_it_was_read_back_and_confirmed(
    nurse_client: Client, course: Course, attribution: str, meaning: str, grade: str
) -> None:
    fields = {"attribution": attribution, "attribution_reason": "Refractory shock"}
    asked = send(nurse_client, course, "death", **fields)
    assert asked.status_code == 422
    assert not Entry.objects.filter(kind="death").exists()
    text = text_of(asked.content.decode())
    assert f"{course.patient.name}, MRN {course.patient.mrn}, died" in text
    assert meaning in text

    form = asked.context["form"]
    again = {name: form[name].value() for name in form.fields if form[name].value()}
    answer = nurse_client.post(
        reverse("patients:entries", args=[course.pk, "death"]),
        again | {"confirmed": form.questions_digest},
        **HTMX,
    )
    assert answer.status_code == 200, answer.content.decode()
    entry = Entry.objects.select_related("act").get(kind="death")
    assert entry.act.answers["attribution_reason"] == "Refractory shock"
    assert course.patient.mrn in str(entry.act.answers["confirmed"])
    assert f'data-grade="{grade}"' in answer.content.decode()
    assert "Refractory shock" in answer.content.decode()


def test_what_was_confirmed_is_what_was_asked(nurse_client: Client, course: Course) -> None:
    """A yes to one time, or one cause, is no yes to another."""
    fields = {"attribution": "crs", "attribution_reason": "Refractory shock"}
    form = send(nurse_client, course, "death", **fields).context["form"]
    assert form["observed_time"].value()
    again = {name: form[name].value() for name in form.fields if form[name].value()}
    changed = again | {"attribution": "other", "confirmed": form.questions_digest}
    answer = nurse_client.post(
        reverse("patients:entries", args=[course.pk, "death"]), changed, **HTMX
    )
    assert answer.status_code == 422
    assert not Entry.objects.filter(kind="death").exists()

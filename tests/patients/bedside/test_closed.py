"""A course that is closed, and one whose patient has died: nothing on the page goes on."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from crs_app.accounts.models import User
from patients.models import Course, Entry, Move
from patients.ward.transfer import TransferRequest, location_token, record_transfer
from tests.entry_forms import HTMX, form, send, text_of, url, vitals
from tests.factories import ago, chart, correct, end, sending
from tests.patients.guidance_panel import ICU, answer_url, answered


@pytest.fixture
def closed(grade_3: Course, clinician: User) -> Course:
    """A course at grade 3 that was closed ten minutes ago."""
    request = TransferRequest(
        Move.ENDED, ago(10), location_token(grade_3), reason="Discharged home."
    )
    record_transfer(grade_3, request, sending(clinician))
    grade_3.refresh_from_db()
    return grade_3


def page_of(client: Client, course: Course, **query: str) -> str:
    return client.get(reverse("patients:bedside", args=[course.pk]), query).content.decode()


def test_a_closed_course_says_so_and_asks_nothing(nurse_client: Client, closed: Course) -> None:
    page = page_of(nurse_client, closed)
    text = text_of(page)
    assert re.search(r"Course closed \d+ \w{3} \d\d:\d\d, discharged home, by J\. Ruiz\.", text)
    assert "Reopen…" in text
    assert "Grade at end 3" in text
    for gone in ("CRS grade now", "still correct?", "if nothing changes", "Guidance · Figure 2"):
        assert gone not in text
    assert 'name="temperature"' not in page
    assert "data-countdown" not in page
    assert "Change this entry" not in page


def test_the_grade_of_a_closed_course_does_not_go_on(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    """Three hours of a high dose would be over by now, but not at the end."""
    dose = {"drug": "norepinephrine", "rate": "0.25", "unit": "ug/kg/min"}
    chart(course, clinician, "vasopressor", ago(hours=3.5), **dose)
    ended = TransferRequest(Move.ENDED, ago(hours=2), location_token(course))
    record_transfer(course, ended, sending(clinician))
    assert "Grade at end 2" in text_of(page_of(nurse_client, course))


@pytest.mark.parametrize("typed", [{"temperature": "39.2"}, {"temperature": "392"}])
def test_a_save_from_a_page_opened_before_the_end_is_refused_in_words(
    nurse_client: Client, closed: Course, typed: dict[str, str]
) -> None:
    before = Entry.objects.count()
    answer = send(nurse_client, closed, "vitals", **typed)
    assert answer.status_code == 409
    text = text_of(answer.content.decode())
    assert re.search(r"Not saved\. Course closed .* by J\. Ruiz\.", text)
    assert "What you typed is kept. Reopen the course to save it." in text
    assert Entry.objects.count() == before


def test_every_way_to_chart_on_a_closed_course_is_refused(
    nurse_client: Client, closed: Course
) -> None:
    entry = Entry.objects.filter(kind="oxygen").get()
    before = Entry.objects.count()
    sent = [
        (url("correct", closed, entry.pk), form(reason="x", device="room_air")),
        (url("retract", closed, entry.pk), form(reason="x")),
        (url("not_observed", closed), form(reason_not_observed="asleep")),
        (url("guidance_action", closed), form(action="oxygen_unchanged")),
    ]
    for address, fields in sent:
        assert nurse_client.post(address, fields, **HTMX).status_code in (409, 422), address
    assert answered(nurse_client, closed, ICU, "done").status_code == 409
    assert Entry.objects.count() == before


def test_a_form_that_was_saved_before_the_closing_is_answered_again(
    nurse_client: Client, grade_1: Course, clinician: User
) -> None:
    sent = vitals(temperature="38.2")
    assert nurse_client.post(url("entries", grade_1, "vitals"), sent, **HTMX).status_code == 200
    ended = TransferRequest(Move.ENDED, ago(0), location_token(grade_1))
    record_transfer(grade_1, ended, sending(clinician))
    again = nurse_client.post(url("entries", grade_1, "vitals"), sent, **HTMX)
    assert again.status_code == 200
    assert again.context["saved"].is_replay


@pytest.mark.parametrize(("attribution", "grade"), [("crs", "5"), ("other", "–")])
def test_after_a_death_the_page_goes_on_no_more(
    nurse_client: Client, grade_3: Course, clinician: User, attribution: str, grade: str
) -> None:
    chart(grade_3, clinician, "death", ago(5), attribution=attribution)
    page = page_of(nurse_client, grade_3)
    text = text_of(page)
    assert re.search(r"Died \d+ \w{3} \d\d:\d\d\.", text)
    assert f"CRS grade now {grade}" in text
    assert 'name="temperature"' not in page
    assert "data-countdown" not in page
    assert "Change this entry: Death" in page, "a death charted in error can be marked so"
    assert 'name="temperature"' in page_of(nurse_client, grade_3, kind="vitals")


def test_after_a_death_a_form_without_scripts_is_refused_in_words(
    nurse_client: Client, grade_3: Course, clinician: User
) -> None:
    """The second of two people corrects an entry that was corrected already."""
    entry = chart(grade_3, clinician, "vitals", ago(15), temperature_c="39.4").entries[0]
    chart(grade_3, clinician, "death", ago(5), attribution="crs")
    sent = vitals(temperature="39.1", reason="misread")
    correct(entry, entry.at, {"temperature_c": "39"}, sending(clinician))
    answer = nurse_client.post(url("correct", grade_3, entry.pk), sent)
    assert answer.status_code == 409
    text = text_of(answer.content.decode())
    assert "Not saved: J. Ruiz corrected this entry" in text
    assert "Nothing more is charted after a death" in text


@pytest.mark.parametrize("how", ["closed", "death"])
def test_an_answer_to_guidance_without_scripts_is_refused_in_words(
    nurse_client: Client, grade_3: Course, clinician: User, how: str
) -> None:
    """The page has no panel of guidance any more, where a refusal stands else."""
    if how == "closed":
        end(grade_3, clinician)
    else:
        chart(grade_3, clinician, "death", ago(5), attribution="crs")
    sent = form(seen="", reason="comfort care")
    for address in (answer_url(grade_3, ICU, "not_appropriate"), url("guidance_action", grade_3)):
        with_scripts = nurse_client.post(address, sent, **HTMX)
        answer = nurse_client.post(address, sent)
        assert (with_scripts.status_code, answer.status_code) == (409, 409)
        page = answer.content.decode()
        assert f"Not saved. {with_scripts.context['refusal']}" in text_of(page)
        assert page.count('id="guidance"') == 1
    opened = nurse_client.get(answer_url(grade_3, ICU, "not_appropriate"))
    assert opened.status_code == 409
    assert f"Not saved. {opened.context['refusal']}" in text_of(opened.content.decode())

"""What the server does for an outbox: known forms, one body for a form id, no act of a person."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from crs_app.accounts.middleware import USE
from crs_app.accounts.models import User
from patients.models import ChartingAct, Course
from tests.entry_forms import HTMX, vitals
from tests.factories import chart

pytestmark = pytest.mark.django_db
BY_ITSELF = {"HX-Request": "true", "CRS-Poll": "yes"}


def ask(client: Client, *forms: str) -> list[str]:
    unknown: list[str] = client.post("/outbox/known/", {"form": forms}).json()["unknown"]
    return unknown


def test_the_server_names_the_forms_of_this_user_that_it_does_not_know(
    nurse_client: Client, nurse: User, clinician: User, course: Course
) -> None:
    own = chart(course, nurse, "vitals", heart_rate="88").act.form_id
    of_another = chart(course, clinician, "vitals", heart_rate="89").act.form_id
    lost = uuid.uuid4()
    names = [f"{course.pk}:{form}" for form in (own, of_another, lost)]
    assert ask(nurse_client, *names) == sorted([str(of_another), str(lost)])
    assert ask(nurse_client, f"{uuid.uuid4()}:{own}") == [str(own)], "known of its course alone"
    assert ask(nurse_client) == []


@pytest.mark.parametrize("names", [["x"], [":"], [f"{uuid.uuid4()}:{uuid.uuid4()}"] * 201])
def test_what_names_no_form_or_too_many_is_refused(nurse_client: Client, names: list[str]) -> None:
    assert nurse_client.post("/outbox/known/", {"form": names}).status_code == 400


def test_another_body_under_a_known_form_id_is_refused_and_says_so(
    nurse_client: Client, course: Course
) -> None:
    address = f"/courses/{course.pk}/entries/vitals/"
    sent = vitals(heart_rate="88")
    for _ in range(2):
        answer = nurse_client.post(address, sent, headers=BY_ITSELF)
        assert (answer.status_code, answer.headers["CRS-Stored"]) == (200, "yes")
    answer = nurse_client.post(address, {**sent, "heart_rate": "98"}, headers=BY_ITSELF)
    assert answer.status_code == 409
    assert "You already saved this form with other contents." in answer.content.decode()
    assert ChartingAct.objects.filter(form_id=sent["form_id"]).count() == 1


def test_what_a_page_sends_by_itself_does_not_hold_the_lock_open(
    nurse_client: Client, course: Course
) -> None:
    nurse_client.get("/")
    session = nurse_client.session
    before = (timezone.now() - timedelta(minutes=5)).timestamp()
    session[USE] = {**session[USE], "acted": before}
    session.save()
    address = f"/courses/{course.pk}/entries/vitals/"
    assert nurse_client.post(address, vitals(heart_rate="88"), headers=BY_ITSELF).status_code == 200
    assert nurse_client.session[USE]["acted"] == before
    nurse_client.post(address, vitals(heart_rate="89"), **HTMX)
    assert nurse_client.session[USE]["acted"] > before

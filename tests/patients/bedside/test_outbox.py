"""What the server does for an outbox: known forms, forms kept ahead, and taps that waited."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from crs_app.accounts.middleware import USE
from crs_app.accounts.models import User
from patients.bedside.page import read_unchanged_items
from patients.forms.registry import ENTRY_FORMS
from patients.forms.unchanged import UnchangedItem
from patients.models import ChartingAct, Course, Entry
from tests.entry_forms import HTMX, url, vitals
from tests.factories import ago, chart, end

pytestmark = pytest.mark.django_db
NOREPINEPHRINE = {"drug": "norepinephrine", "rate": "5", "unit": "ug/min"}
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


def test_an_answer_to_a_script_has_the_time_and_the_version_of_the_page(
    nurse_client: Client, course: Course
) -> None:
    page = nurse_client.get(url("bedside", course))
    answer = nurse_client.get(url("live", course), **HTMX)
    answered_at = datetime.fromisoformat(answer.headers["CRS-Time"])
    assert abs(answered_at - timezone.now()) < timedelta(minutes=1)
    assert f'data-version="{answer.headers["CRS-Version"]}"' in page.content.decode()
    assert "CRS-Time" not in page.headers


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


def tap(client: Client, course: Course, waited: timedelta | None = None, **sent: str) -> Any:
    """A tap as the outbox sends it, ``waited`` after it was tapped; None as the page does."""
    name = "guidance_action" if "action" in sent else "not_observed"
    fields = {"form_id": str(uuid.uuid4()), **sent}
    if waited is not None:
        fields["sent_at"] = (timezone.now() - waited).isoformat()
    return client.post(url(name, course), fields, headers=BY_ITSELF)


def running(course: Course) -> UnchangedItem:
    return read_unchanged_items(course, timezone.now())[0]


def test_a_tap_that_waited_is_charted_at_its_own_time(
    nurse_client: Client, nurse: User, course: Course
) -> None:
    chart(course, nurse, "vasopressor", ago(hours=3), **NOREPINEPHRINE)
    half_an_hour = timedelta(minutes=30)
    version = running(course).version
    unchanged = {"action": "unchanged:unchanged_norepinephrine", "seen_version": version}
    stopped = {
        "action": "stopped:norepinephrine", "seen_version": version, "form_id": str(uuid.uuid4()),
    }  # fmt: skip
    asleep = {"reason_not_observed": "asleep"}
    for sent in (unchanged, asleep, stopped, stopped):
        answer = tap(nurse_client, course, half_an_hour, **sent)
        assert (answer.status_code, answer.headers["CRS-Stored"]) == (200, "yes"), sent
    charted = Entry.objects.filter(course=course, at__gt=ago(hours=1)).order_by("recorded_at")
    assert [entry.kind for entry in charted] == ["vasopressor", "not_observed", "vasopressor"]
    assert all(ago(32) < entry.at < ago(29) for entry in charted)


def test_a_tap_that_waited_is_refused_where_the_chart_went_on_or_its_time_is_not_known(
    nurse_client: Client, nurse: User, course: Course
) -> None:
    chart(course, nurse, "vasopressor", ago(hours=3), **NOREPINEPHRINE)
    stop = {"action": "stopped:norepinephrine", "seen_version": running(course).version}
    chart(course, nurse, "vasopressor", ago(20), **NOREPINEPHRINE)
    before = Entry.objects.count()
    long_ago = timedelta(days=3)
    words = {
        "was charted later than this tap": tap(nurse_client, course, timedelta(minutes=30), **stop),
        "It is not known when this was tapped": tap(nurse_client, course, long_ago, **stop),
        "it waited too long on the tablet": tap(
            nurse_client, course, long_ago, reason_not_observed="asleep"
        ),
    }
    for sentence, answer in words.items():
        assert answer.status_code == 409
        assert sentence in answer.content.decode()
    assert Entry.objects.count() == before


def test_a_stored_form_or_tap_that_is_sent_again_after_three_days_is_answered_as_stored(
    nurse_client: Client, nurse: User, course: Course
) -> None:
    """The answer to its first try was lost; by now its time is too old for a new one."""
    chart(course, nurse, "vasopressor", ago(hours=30), **NOREPINEPHRINE)
    stopped = {"action": "stopped:norepinephrine", "seen_version": running(course).version}
    answered = {"action": "risk:older_age:no"}
    for sent in ({"reason_not_observed": "asleep"}, answered, stopped):
        once = {"form_id": str(uuid.uuid4()), **sent}
        for days in (1, 3):
            answer = tap(nurse_client, course, timedelta(days=days), **once)
            assert (answer.status_code, answer.headers.get("CRS-Stored")) == (200, "yes"), sent
    form, address = vitals(heart_rate="88"), url("entries", course, "vitals")
    for days in (1, 3):
        form["begun_at"] = form["sent_at"] = ago(hours=24 * days).isoformat()
        answer = nurse_client.post(address, form, headers=BY_ITSELF)
        assert (answer.status_code, answer.headers.get("CRS-Stored")) == (200, "yes")
    assert Entry.objects.filter(course=course, recorded_by=nurse).count() == 5


def test_the_forms_of_every_kind_but_death_are_sent_while_a_course_is_open(
    nurse_client: Client, nurse: User, course: Course
) -> None:
    forms = nurse_client.get(url("kept_forms", course), **HTMX).json()["forms"]
    assert set(forms) == set(ENTRY_FORMS) - {"death"}
    for kind, html in forms.items():
        assert f'hx-post="{url("entries", course, kind)}"' in html
        assert course.patient.name in html
    end(course, nurse)
    assert nurse_client.get(url("kept_forms", course), **HTMX).json() == {"forms": {}}

"""A seizure in a round: the time at which it began, and what is asked about it."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from patients.models import Course, Entry
from tests.entry_forms import form_html, text_of
from tests.factories import ago
from tests.patients.forms.rounds import errors_of, send_round

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_seizure_is_charted_at_the_time_at_which_it_began(
    nurse_client: Client, course: Course
) -> None:
    began = timezone.localtime(ago(minutes=50)).replace(second=0, microsecond=0)
    send_round(
        nurse_client,
        course,
        level="voice",
        seizure_type="generalised",
        seizure_date=f"{began:%Y-%m-%d}",
        seizure_time=f"{began:%H:%M}",
        seizure_stopped="no",
    )
    seizure = Entry.objects.get(course=course, kind="seizure")
    assert (seizure.at, seizure.body["resolved"]) == (began, False)
    assert Entry.objects.get(course=course, kind="consciousness").at > began


def test_a_seizure_before_the_infusion_or_after_the_round_is_refused(
    nurse_client: Client, course: Course
) -> None:
    early = timezone.localtime(course.infused_at - timedelta(hours=1))
    times = {"seizure_date": f"{early:%Y-%m-%d}", "seizure_time": f"{early:%H:%M}"}
    answer = send_round(nurse_client, course, seizure_type="focal", **times)
    assert "This is before the infusion" in errors_of(answer)["seizure_time"][0]
    observed, later = (timezone.localtime(ago(hours=hours)) for hours in (3, 2))
    times = {
        "observed_date": f"{observed:%Y-%m-%d}",
        "observed_time": f"{observed:%H:%M}",
        "seizure_date": f"{later:%Y-%m-%d}",
        "seizure_time": f"{later:%H:%M}",
    }
    answer = send_round(nurse_client, course, seizure_type="focal", **times)
    assert errors_of(answer)["seizure_time"] == ["This is after the time of the round."]


def test_a_seizure_of_more_than_a_day_before_is_asked_about(
    nurse_client: Client, course: Course
) -> None:
    began = timezone.localtime(ago(hours=26))
    fields = {
        "seizure_type": "focal",
        "seizure_date": f"{began:%Y-%m-%d}",
        "seizure_time": f"{began:%H:%M}",
    }
    answer = send_round(nurse_client, course, **fields)
    assert answer.status_code == 422
    assert "more than 24 h before" in text_of(answer.content.decode())
    confirmed = answer.context["form"].questions_digest
    assert send_round(nurse_client, course, **fields, confirmed=confirmed).status_code == 200


def test_the_form_says_when_a_seizure_is_prolonged_and_how_long_it_counts(
    nurse_client: Client, course: Course
) -> None:
    shown = text_of(form_html(nurse_client, course, "ice"))
    assert "More than 5 minutes, or not stopped: ICANS 4." in shown
    assert "Up to 5 minutes: ICANS 3 for 24 h." in shown

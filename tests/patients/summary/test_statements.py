"""What people state on the summary: refused, asked about, corrected with the original visible."""

from __future__ import annotations

import re
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import NON_FIELD_ERRORS
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from patients.models import Course, GradePeriod, SummaryStatement
from tests.factories import ago, chart
from tests.patients.summary.test_summary_page import items

pytestmark = pytest.mark.django_db


def send(client: Client, course: Course, about: str, **fields: Any) -> Any:
    address = reverse("patients:summary_state", args=[course.pk, about])
    sent = {"form_id": uuid.uuid4(), "seen": "0", **fields}
    return client.post(address, {name: str(value) for name, value in sent.items()})


def fever(client: Client, course: Course, **fields: Any) -> Any:
    day = f"{timezone.localtime(ago(hours=33)):%Y-%m-%d}"
    given = {"answer": "yes", "on_day": day, "temperature_c": "38.6", "source": "patient"}
    return send(client, course, "fever_at_home", **(given | fields))


def ended(client: Client, course: Course, at: datetime, **fields: Any) -> Any:
    there = timezone.localtime(at)
    given = {
        "answer": "yes",
        "ended_date": f"{there:%Y-%m-%d}",
        "ended_time": f"{there:%H:%M}",
    }
    return send(client, course, "end_of_crs", **(given | fields))


def refused_at_a_field(answer: Any) -> str:
    """Return the errors of the form that stand at a field, as one text."""
    errors = answer.context["form"].errors
    return " ".join(
        sentence
        for field, found in errors.items()
        if field != NON_FIELD_ERRORS
        for sentence in found
    )


@pytest.fixture
def well(course: Course, nurse: User) -> Course:
    """A course with fever for two hours, and nothing for 30 hours since."""
    chart(
        course, nurse, "vitals", ago(hours=32), temperature_c="38.9", systolic_mmhg="118",
        diastolic_mmhg="70",
    )  # fmt: skip
    chart(course, nurse, "oxygen", ago(hours=32), device="room_air")
    chart(
        course, nurse, "vitals", ago(hours=30), temperature_c="36.7", systolic_mmhg="118",
        diastolic_mmhg="70",
    )  # fmt: skip
    return course


def test_a_fever_at_home_is_kept_beside_the_chart_and_never_graded(
    nurse_client: Client, nurse: User, well: Course
) -> None:
    before = list(GradePeriod.objects.order_by("pk").values_list("pk", "grade", "known"))
    assert items(nurse_client, well)["crs.fever.home"]["state"] == "not_known"
    assert fever(nurse_client, well).status_code == 302
    after = list(GradePeriod.objects.order_by("pk").values_list("pk", "grade", "known"))
    assert after == before
    stored = SummaryStatement.objects.get()
    assert (stored.author_name, stored.author_role) == (nurse.display_name, nurse.role)
    found = items(nurse_client, well)
    assert found["crs.fever.home"]["value"]["temperature_c"] == "38.6"
    assert found["crs.fever.home"]["value"]["source"] == "patient"
    assert "first measured in hospital" in found["crs.fever.onset"]["details"][0]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"answer": ""}, "Choose an answer."),
        ({"answer": "perhaps"}, "Choose one of the answers that are listed."),
        ({"on_day": ""}, "Enter the day."),
        ({"on_day": "03/09/2026"}, "Write the date as year-month-day"),
        ({"on_day": "2020-01-01"}, "That is before the infusion on"),
        ({"on_day": "2199-01-01"}, "That day has not come."),
        ({"temperature_c": ""}, "Enter the highest value that was measured."),
        ({"temperature_c": "37.9"}, "A fever begins at 38 °C. Check the value, or answer No."),
        ({"temperature_c": "101.3"}, "101.3 °C is not possible"),
        ({"temperature_c": "38,6"}, "Write the number with a decimal point"),
        ({"temperature_c": "38.666"}, "Enter at most two decimals."),
        ({"source": ""}, "Choose who says so."),
        ({"answer": "no"}, "Empty this field, or answer Yes."),
    ],
)
def test_a_fever_that_cannot_be_is_refused_at_its_field(
    nurse_client: Client, well: Course, fields: dict[str, str], sentence: str
) -> None:
    answer = fever(nurse_client, well, **fields)
    assert answer.status_code == 422
    assert sentence in refused_at_a_field(answer)
    if "temperature_c" not in fields:
        assert 'value="38.6"' in answer.content.decode()
    assert not SummaryStatement.objects.exists()


def test_a_correction_says_why_and_leaves_the_original_visible(
    nurse_client: Client, intensivist_client: Client, well: Course
) -> None:
    fever(nurse_client, well)
    first = SummaryStatement.objects.get()
    no = {"answer": "no", "on_day": "", "temperature_c": "", "seen": first.pk}
    refused = fever(intensivist_client, well, **no)
    assert "Say why it is corrected." in refused.content.decode()
    assert fever(intensivist_client, well, **no, words="asked again").status_code == 302
    text = nurse_client.get(reverse("patients:summary", args=[well.pk])).content.decode()
    assert "38.6 °C, says the patient</s>" in text
    assert "asked again" in text
    assert items(nurse_client, well)["crs.fever.home"]["state"] == "no"
    latest = SummaryStatement.objects.latest("pk")
    withdrawn = {"answer": "not_known", "on_day": "", "temperature_c": "", "source": ""}
    fever(nurse_client, well, **withdrawn, seen=latest.pk, words="nobody knows")
    assert items(nurse_client, well)["crs.fever.home"]["state"] == "not_known"


def test_two_who_answer_at_once_see_each_other(nurse_client: Client, well: Course) -> None:
    assert fever(nurse_client, well).status_code == 302
    second = fever(nurse_client, well, temperature_c="39.9")
    assert second.status_code == 409
    assert "stated this at" in second.content.decode()
    assert 'value="39.9"' in second.content.decode()
    assert SummaryStatement.objects.count() == 1
    assert "Say why it is corrected." in second.content.decode()
    hidden = dict(re.findall(r'name="(form_id|seen)" value="([^"]+)"', second.content.decode()))
    again = fever(nurse_client, well, temperature_c="39.9", words="measured twice", **hidden)
    assert again.status_code == 302
    assert SummaryStatement.objects.latest("pk").replaces == SummaryStatement.objects.earliest("pk")


def test_the_same_form_sent_twice_is_stored_once(nurse_client: Client, well: Course) -> None:
    form_id = uuid.uuid4()
    assert fever(nurse_client, well, form_id=form_id).status_code == 302
    assert fever(nurse_client, well, form_id=form_id).status_code == 302
    assert fever(nurse_client, well, form_id=form_id, temperature_c="40").status_code == 409
    assert SummaryStatement.objects.count() == 1


@pytest.mark.usefixtures("as_owner")
def test_a_statement_can_be_neither_changed_nor_deleted(nurse_client: Client, well: Course) -> None:
    fever(nurse_client, well)
    stored = SummaryStatement.objects.all()
    for change in (lambda: stored.update(answer="no"), stored.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert stored.get().answer == "yes"


def test_the_end_is_what_a_clinician_states(nurse_client: Client, well: Course) -> None:
    found = items(nurse_client, well)["crs.resolved"]
    assert (found["state"], found["value"]) == ("not_stated", None)
    assert "no finding for 1 d 6 h" in found["details"][0]
    at = ago(hours=29).replace(second=0, microsecond=0)
    assert ended(nurse_client, well, at).status_code == 302
    found = items(nurse_client, well)["crs.resolved"]
    assert found["state"] == "answered"
    assert datetime.fromisoformat(found["value"]) == at
    text = nurse_client.get(reverse("patients:summary", args=[well.pk])).content.decode()
    assert "Finished" in text


def test_an_end_that_the_chart_speaks_against_is_asked_about_and_the_answer_is_kept(
    nurse_client: Client, well: Course
) -> None:
    at = ago(hours=31)
    asked = ended(nurse_client, well, at)
    assert asked.status_code == 422
    form = asked.context["form"]
    assert form.questions == ["needs a new look: the chart has grade 1 at that time"]
    assert not SummaryStatement.objects.exists()
    confirmed = "\n".join(form.questions)
    assert ended(nurse_client, well, at, confirmed="something else").status_code == 422
    assert ended(nurse_client, well, at, confirmed=confirmed).status_code == 302
    assert SummaryStatement.objects.get().confirmed == confirmed
    assert "needs a new look" in items(nurse_client, well)["crs.resolved"]["details"][-1]


def test_less_than_a_day_without_a_finding_is_asked_about(
    nurse_client: Client, well: Course
) -> None:
    at = ago(hours=2)
    asked = ended(nurse_client, well, at)
    assert "only 2 h of the chart are after that time" in asked.content.decode()
    (question,) = asked.context["form"].questions
    with time_machine.travel(timezone.now() + timedelta(minutes=7), tick=False):
        assert ended(nurse_client, well, at, confirmed=f"only{question}").status_code == 422
        assert ended(nurse_client, well, at, confirmed=question).status_code == 302
    assert "only 2 h 7 min" in SummaryStatement.objects.get().confirmed


def test_two_questions_are_answered_as_a_browser_sends_them(
    nurse_client: Client, nurse: User, well: Course
) -> None:
    chart(well, nurse, "vitals", ago(hours=1), temperature_c="38.8")
    at = ago(hours=2)
    questions = ended(nurse_client, well, at).context["form"].questions
    assert [question.split()[0] for question in questions] == ["needs", "only"]
    assert ended(nurse_client, well, at, confirmed=questions[0]).status_code == 422
    assert ended(nurse_client, well, at, confirmed="\r\n".join(questions)).status_code == 302


def test_a_finding_after_the_stated_end_asks_for_a_new_look(
    nurse_client: Client, nurse: User, well: Course
) -> None:
    assert ended(nurse_client, well, ago(hours=29)).status_code == 302
    chart(well, nurse, "vitals", ago(minutes=5), temperature_c="38.8")
    [*_, last] = items(nurse_client, well)["crs.resolved"]["details"]
    assert last.startswith("needs a new look: grade 1 from")
    assert last.endswith("the same episode")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"ended_time": ""}, "Enter the time at which it ended."),
        ({"ended_date": "", "ended_time": ""}, "Enter the date at which it ended."),
        ({"ended_date": "2020-01-01"}, "it cannot have ended before"),
        ({"ended_date": "2199-01-01"}, "ahead of the clock"),
        ({"answer": "not_known"}, "Empty this field, or answer Yes."),
    ],
)
def test_an_end_that_cannot_be_is_refused_at_its_field(
    nurse_client: Client, well: Course, fields: dict[str, str], sentence: str
) -> None:
    answer = ended(nurse_client, well, ago(hours=29), **fields)
    assert answer.status_code == 422
    assert sentence in refused_at_a_field(answer)
    assert not SummaryStatement.objects.exists()


def test_without_a_finding_nothing_can_have_ended(nurse_client: Client, course: Course) -> None:
    answer = ended(nurse_client, course, ago(hours=1))
    assert "nothing can have ended" in answer.content.decode()
    unknown = reverse("patients:summary_state", args=[course.pk, "something"])
    assert nurse_client.get(unknown).status_code == 404

"""A round by CAPD: for a child, with developmental delay, or where it was chosen."""

from datetime import date

import pytest
from django.test import Client
from django.utils import timezone

from crs_app.accounts.models import User
from patients.models import Course
from patients.queries.policies import read_policy_periods
from tests.entry_forms import HTMX, form_html, text_of, url
from tests.factories import admit
from tests.patients.forms.rounds import ALL_RIGHT, charted, errors_of, send_round

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def child(clinician: User) -> Course:
    return admit(clinician, birth_date=date(timezone.now().year - 7, 1, 1), weight_kg="23")


def test_a_child_is_asked_by_capd_and_a_tap_on_the_sum_charts_it(
    nurse_client: Client, child: Course
) -> None:
    shown = text_of(form_html(nurse_client, child, "ice"))
    assert "Under 12 years, or with developmental delay: CAPD in place of ICE." in shown
    assert "Ask in these words" not in shown
    send_round(nurse_client, child, tool="capd", capd_score="11")
    assert charted(child) == {"capd": {"score": "11"}}


@pytest.mark.parametrize("score", ["33", "-1", "4.5"])
def test_a_sum_that_capd_cannot_have_is_refused(
    nurse_client: Client, child: Course, score: str
) -> None:
    answer = send_round(nurse_client, child, tool="capd", capd_score=score)
    assert errors_of(answer)["capd_score"] == ["Choose one of the list."]


def test_developmental_delay_asks_by_capd_from_12_years_on(
    nurse_client: Client, clinician: User
) -> None:
    course = admit(clinician, developmental_delay=True)
    shown = nurse_client.get(url("entries", course, "ice"), **HTMX).context["form"]
    assert shown.shown_tool == "capd"


def test_the_other_tool_is_shown_and_said_not_to_count(nurse_client: Client, child: Course) -> None:
    asked = nurse_client.get(url("entries", child, "ice"), {"tool": "ice"}, **HTMX)
    assert "ICE is shown on the chart and not counted" in text_of(asked.content.decode())
    answer = send_round(nurse_client, child, tool="ice", **ALL_RIGHT)
    sentence = "Shown, not counted for ICANS: this patient uses CAPD."
    assert sentence in text_of(answer.content.decode())
    shown = text_of(form_html(nurse_client, child, "ice"))
    assert "ICE 10 of 10" in shown
    assert "shown, not counted. This patient uses CAPD." in shown


@pytest.mark.parametrize(
    ("tool", "fields", "name"),
    [
        ("ice", {"capd_score": "4"}, "capd_score"),
        ("capd", {"ask_year": "right", "level": "alert"}, "__all__"),
        ("capd", {"capd_score": "4", "not_done": "sedated"}, "not_done"),
        ("gcs", {"level": "alert"}, "tool"),
    ],
)
def test_values_of_the_other_tool_are_refused(
    nurse_client: Client, course: Course, tool: str, fields: dict[str, str], name: str
) -> None:
    assert name in errors_of(send_round(nurse_client, course, tool=tool, **fields))


def test_the_age_below_which_capd_is_used_is_the_policy_of_the_course(
    nurse_client: Client, child: Course
) -> None:
    (period,) = read_policy_periods(child)
    assert period.policy.icans_capd_below_years == 12
    shown = form_html(nurse_client, child, "ice")
    assert 'data-bands="9:3 1:1 0:0"' in shown

"""Unusual values and times are asked about, and the confirmation is recorded with the entry."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from crs_app.accounts.models import User
from grading.engine.units import format_number
from patients.models import ChartingAct, Course, Entry
from tests.entry_forms import send
from tests.factories import admit, chart


def last_answers(course: Course) -> dict[str, Any]:
    return ChartingAct.objects.filter(course=course).latest("recorded_at").answers


def test_an_unusual_value_is_stored_once_it_is_confirmed(
    nurse_client: Client, course: Course
) -> None:
    asked = send(nurse_client, course, "vitals", temperature="42", heart_rate="190")
    assert asked.status_code == 422
    assert not course.entries.filter(kind="vitals").exists()
    page = asked.content.decode()
    assert "Temperature 42 °C is unusually high" in page
    assert "Heart rate 190 /min is unusually high" in page

    yes = asked.context["form"].questions_digest
    saved = send(nurse_client, course, "vitals", temperature="42", heart_rate="190", confirmed=yes)
    assert saved.status_code == 200
    assert len(last_answers(course)["confirmed"]) == 2
    assert "confirmed" in saved.content.decode()


def test_a_yes_to_one_value_is_no_yes_to_another(nurse_client: Client, course: Course) -> None:
    yes = send(nurse_client, course, "vitals", temperature="42").context["form"].questions_digest
    again = send(nurse_client, course, "vitals", temperature="43", confirmed=yes)
    assert again.status_code == 422
    assert not course.entries.filter(kind="vitals").exists()


def test_pure_oxygen_typed_as_a_fraction_is_asked_about(
    nurse_client: Client, course: Course
) -> None:
    asked = send(nurse_client, course, "oxygen", device="cpap", fio2_percent="1.0")
    assert "FiO2 1.0: is that pure oxygen, 100 %?" in asked.content.decode()
    yes = asked.context["form"].questions_digest
    send(nurse_client, course, "oxygen", device="cpap", fio2_percent="1.0", confirmed=yes)
    assert course.entries.get(kind="oxygen").body["fio2_percent"] == "100"


def test_a_five_fold_dose_is_asked_about(nurse_client: Client, course: Course, nurse: User) -> None:
    chart(course, nurse, "vasopressor", drug="norepinephrine", rate="4", unit="ug/min")
    chart(course, nurse, "vasopressor", drug="dopamine", rate="40", unit="ug/kg/min")
    dose = {"drug": "norepinephrine", "unit": "ug/min"}
    asked = send(nurse_client, course, "vasopressor", **dose, rate="20")
    assert "5 times the dose before; that was 4 mcg/min" in asked.content.decode()
    assert send(nurse_client, course, "vasopressor", **dose, rate="19").status_code == 200


def test_a_weight_more_than_a_tenth_away_is_asked_about(
    nurse_client: Client, course: Course
) -> None:
    asked = send(nurse_client, course, "weight", weight_kg="71.5")
    assert "11 % down from 80 kg" in asked.content.decode()
    yes = asked.context["form"].questions_digest
    saved = send(nurse_client, course, "weight", weight_kg="71.5", confirmed=yes)
    assert saved.context["banner"].weight_text == "71.5 kg"


@pytest.mark.parametrize(("years", "is_asked"), [(2, False), (54, True)])
def test_a_childs_pulse_is_not_an_adults(
    nurse_client: Client, nurse: User, years: int, is_asked: bool
) -> None:
    born = timezone.localdate() - timedelta(days=365 * years + years)
    course = admit(nurse, birth_date=born)
    answer = send(nurse_client, course, "vitals", heart_rate="195")
    assert (answer.status_code == 422) is is_asked


class TestATimeLongPast:
    """A page left open: what was typed then is not charted as observed now without asking."""

    def test_values_typed_hours_ago_are_asked_about(
        self, nurse_client: Client, course: Course
    ) -> None:
        typed_at = timezone.now() - timedelta(hours=9)
        fields = {"temperature": "38", "begun_at": typed_at.isoformat()}
        asked = send(nurse_client, course, "vitals", **fields)
        assert asked.status_code == 422
        assert "Were they observed just now?" in asked.content.decode()

        then = send(nurse_client, course, "vitals", **fields, observed_then="yes")
        assert then.status_code == 200
        entry = Entry.objects.get(course=course, kind="vitals")
        assert entry.at == typed_at.replace(second=0, microsecond=0)

    def test_observed_now_after_all(self, nurse_client: Client, course: Course) -> None:
        begun = (timezone.now() - timedelta(minutes=31)).isoformat()
        asked = send(nurse_client, course, "vitals", temperature="38", begun_at=begun)
        yes = asked.context["form"].questions_digest
        fields = {"temperature": "38", "begun_at": begun, "confirmed": yes}
        assert send(nurse_client, course, "vitals", **fields).status_code == 200
        entry = Entry.objects.get(course=course, kind="vitals")
        assert timezone.now() - entry.at < timedelta(minutes=2)

    def test_a_page_opened_on_another_day_is_asked_about(
        self, nurse_client: Client, course: Course
    ) -> None:
        opened = (timezone.now() - timedelta(days=1)).isoformat()
        assert send(
            nurse_client, course, "vitals", temperature="38", opened_at=opened
        ).status_code == 422  # fmt: skip
        begun = (timezone.now() - timedelta(minutes=1)).isoformat()
        fields = {"temperature": "38", "opened_at": opened, "begun_at": begun}
        assert send(nurse_client, course, "vitals", **fields).status_code == 200

    def test_a_form_sent_again_means_the_moment_at_which_it_was_sent_first(
        self, nurse_client: Client, course: Course
    ) -> None:
        first = timezone.now() - timedelta(hours=2)
        fields = {
            "temperature": "38",
            "begun_at": (first - timedelta(minutes=1)).isoformat(),
            "sent_at": first.isoformat(),
        }
        assert send(nurse_client, course, "vitals", **fields).status_code == 200
        entry = Entry.objects.get(course=course, kind="vitals")
        assert entry.at == first.replace(second=0, microsecond=0)

    def test_empty_hidden_times_are_those_of_a_browser_without_scripts(
        self, nurse_client: Client, course: Course
    ) -> None:
        fields = dict.fromkeys(("begun_at", "opened_at", "sent_at"), "")
        assert send(nurse_client, course, "vitals", temperature="38", **fields).status_code == 200


@pytest.mark.parametrize(
    ("kind", "field", "more", "asked"),
    [
        ("lab", "ferritin", {"ferritin_unit": "ng/mL"}, {"1.200": "1200", "12.500": "12500"}),
        ("lab", "crp", {"crp_unit": "mg/L"}, {"1.200": ""}),  # 1200 mg/L is not possible
        ("fluid_bolus", "volume_ml", {}, {"1.000": "1000"}),
        ("treatment", "dose_mg", {"agent": "methylprednisolone"}, {"1.000": "1000"}),
        ("vitals", "temperature", {}, {"38.125": ""}),
        ("weight", "weight_kg", {}, {"80.125": ""}),
        ("lab", "ferritin", {"ferritin_unit": "ng/mL"}, {"0.200": "", "1.20": "", "1200.125": ""}),
    ],
)
def test_a_point_that_may_group_thousands_is_asked_about(
    nurse_client: Client,
    course: Course,
    kind: str,
    field: str,
    more: dict[str, str],
    asked: dict[str, str],
) -> None:
    """1.200 is one thousand two hundred to some, and to others one and a fifth."""
    for typed, whole in asked.items():
        answer = send(nurse_client, course, kind, **{field: typed}, **more)
        questions = (
            [one.sentence for one in answer.context["form"].questions]
            if (answer.status_code == 422)
            else []
        )
        sentence = f"{typed} is read with a decimal point. If it is {whole}, type {whole}."
        assert (sentence in questions) is bool(whole), (typed, questions)
        assert not any("decimal point" in one for one in questions if not whole)


def test_a_zero_is_never_written_with_a_sign(nurse_client: Client, course: Course) -> None:
    """A number that was read as -0 once made every later 0 of the process one."""
    assert format_number(Decimal("-0.0")) == "0"
    answer = send(nurse_client, course, "lab", ferritin="-0", ferritin_unit="ng/mL")
    assert "Expected 0 or more, found -0." in answer.context["form"].errors["ferritin"]

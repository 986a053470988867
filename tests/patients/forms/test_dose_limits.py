"""Amounts that are asked about or refused, and rates that a weight would make impossible."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from patients.models import Course, Entry
from patients.recording.inputs import NewEntry
from tests.entry_forms import HTMX, form, send, send_correction, text_of, url
from tests.factories import admit, ago, chart, record

ANGIOTENSIN_II = {"drug": "angiotensin_ii", "unit": "ng/kg/min"}
NE = {"drug": "norepinephrine", "unit": "ug/kg/min"}


def asks(client: Client, course: Course, kind: str, **fields: Any) -> list[str]:
    """The questions about an entry that is not refused."""
    answer = send(client, course, kind, **fields)
    if answer.status_code == 200:
        return []
    assert not answer.context["form"].errors, answer.context["form"].errors
    return [question.sentence for question in answer.context["form"].questions]


def refused(client: Client, course: Course, kind: str, **fields: Any) -> dict[str, str]:
    answer = send(client, course, kind, **fields)
    assert answer.status_code == 422
    return {name: text_of(str(errors)) for name, errors in answer.context["form"].errors.items()}


@pytest.mark.parametrize(
    ("kind", "fields", "sentence"),
    [
        ("fluid_bolus", {"volume_ml": "1001"}, "over 1000 mL"),
        ("fluid_bolus", {"volume_ml": "49"}, "under 50 mL"),
        ("treatment", {"agent": "tocilizumab", "dose_mg": "801"}, "over 800 mg"),
        ("treatment", {"agent": "tocilizumab"}, "without a dose"),
        ("treatment", {"agent": "methylprednisolone", "dose_mg": "1001"}, "over 1000 mg"),
        ("treatment", {"agent": "hydrocortisone"}, "without a dose"),
        ("treatment", {"agent": "siltuximab", "dose_mg": "961"}, "at 80 kg: over 12 mg/kg"),
        ("vasopressor", ANGIOTENSIN_II | {"rate": "80.1"}, "over 80 ng/kg/min"),
        ("lab", {"alp": "5001", "alp_unit": "U/L"}, "over 5000 U/L"),
        ("lab", {"ggt": "5001", "ggt_unit": "U/L"}, "over 5000 U/L"),
        ("lab", {"d_dimer": "200001", "d_dimer_unit": "ng/mL"}, "over 200000 ng/mL"),
    ],
    ids=str,
)
def test_an_unusual_amount_is_asked_about(
    nurse_client: Client, course: Course, kind: str, fields: dict[str, str], sentence: str
) -> None:
    (asked,) = asks(nurse_client, course, kind, **fields)
    assert sentence in asked
    assert not course.entries.filter(kind=kind).exists()


@pytest.mark.parametrize(
    ("kind", "field", "fields"),
    [
        ("fluid_bolus", "volume_ml", {"volume_ml": "5001"}),
        ("fluid_bolus", "volume_ml", {"volume_ml": "0.5"}),
        ("treatment", "dose_mg", {"agent": "tocilizumab", "dose_mg": "6400"}),
        ("treatment", "dose_mg", {"agent": "methylprednisolone", "dose_mg": "99999"}),
        ("treatment", "dose_mg", {"agent": "antipyretic", "dose_mg": "50000"}),
    ],
    ids=str,
)
def test_an_impossible_amount_is_refused_at_its_field(
    nurse_client: Client, course: Course, kind: str, field: str, fields: dict[str, str]
) -> None:
    assert "is not possible for" in refused(nurse_client, course, kind, **fields)[field]


def test_a_rate_beyond_its_limit_is_refused(nurse_client: Client, course: Course) -> None:
    typed = ANGIOTENSIN_II | {"rate": "500.1"}
    assert "At most 500 ng/kg/min" in refused(nurse_client, course, "vasopressor", **typed)["rate"]


def test_usual_amounts_are_saved_unasked(nurse_client: Client, course: Course) -> None:
    for kind, fields in (
        ("fluid_bolus", {"volume_ml": "1000"}),
        ("treatment", {"agent": "tocilizumab", "dose_mg": "640"}),
        ("treatment", {"agent": "antibiotics"}),
        ("treatment", {"agent": "antipyretic", "dose_mg": "1000"}),
        ("vasopressor", ANGIOTENSIN_II | {"rate": "80"}),
        ("lab", {"alp": "5000", "alp_unit": "U/L"}),
    ):
        assert asks(nurse_client, course, kind, **fields) == []


def test_a_childs_bolus_is_judged_by_the_weight(nurse_client: Client, nurse: User) -> None:
    child = admit(nurse, mrn="C-1", birth_date=None, age_years=6, weight_kg="20")
    assert asks(nurse_client, child, "fluid_bolus", volume_ml="400") == []
    assert asks(nurse_client, child, "fluid_bolus", volume_ml="40") == []
    (asked,) = asks(nurse_client, child, "fluid_bolus", volume_ml="401")
    assert "at 20 kg: over 20 mL/kg" in asked


def test_tocilizumab_within_8_hours_is_asked_about_and_its_correction_is_not(
    nurse_client: Client, nurse: User, course: Course
) -> None:
    dose = {"agent": "tocilizumab", "dose_mg": "640"}
    first = chart(course, nurse, "treatment", ago(hours=7.9), **dose).entries[0]
    (asked,) = asks(nurse_client, course, "treatment", **dose)
    assert "7 h 5" in asked
    assert send_correction(nurse_client, course, first, dose_mg="600").status_code == 200
    later = chart(course, nurse, "treatment", ago(hours=20), **dose).entries[0]
    nurse_client.post(url("retract", course, later.pk), form(reason="twice"), **HTMX)
    assert len(asks(nurse_client, course, "treatment", **dose)) == 1


class TestAWeightAndARate:
    """A weight by which a charted rate passes its limit is refused, naming that rate."""

    @pytest.fixture
    def rate(self, course: Course, nurse: User) -> Entry:
        """3 mcg/kg/min at 80 kg is 240 mcg/min: 100 kg is the most."""
        return chart(course, nurse, "vasopressor", ago(hours=1), **NE, rate="3").entries[0]

    def test_a_late_weight(self, nurse_client: Client, course: Course, rate: Entry) -> None:
        before = (rate.at - timedelta(minutes=5)).astimezone()
        when = {"observed_date": f"{before:%Y-%m-%d}", "observed_time": f"{before:%H:%M}"}
        answer = send(nurse_client, course, "weight", weight_kg="101", **when)
        assert answer.status_code == 422
        page = answer.content.decode()
        assert "Norepinephrine 3 mcg/kg/min, charted" in text_of(page)
        assert "at 101 kg this is above 300 mcg/min" in page
        assert f'href="{reverse("patients:correct", args=[course.pk, rate.pk])}"' in page
        assert asks(nurse_client, course, "weight", weight_kg="100", **when) != []

    def test_a_weight_after_the_rate_converts_it_no_more(
        self, nurse_client: Client, course: Course, rate: Entry
    ) -> None:
        (asked,) = asks(nurse_client, course, "weight", weight_kg="110")
        assert "from 80 kg" in asked

    def test_a_corrected_weight(self, nurse_client: Client, course: Course, rate: Entry) -> None:
        weight = course.entries.get(kind="weight")
        answer = send_correction(nurse_client, course, weight, weight_kg="101")
        assert answer.status_code == 422
        assert "weight_kg" in answer.context["form"].errors
        assert not Entry.objects.filter(replaces=weight).exists()

    def test_a_retracted_weight_by_which_another_takes_its_place(
        self, nurse_client: Client, course: Course, nurse: User
    ) -> None:
        admitted = course.entries.get(kind="weight")
        heavy = chart(course, nurse, "weight", admitted.at - timedelta(hours=1), weight_kg="120")
        rate = chart(course, nurse, "vasopressor", ago(hours=1), **NE, rate="3").entries[0]
        address = url("retract", course, admitted.pk)
        answer = nurse_client.post(address, form(reason="wrong patient"), **HTMX)
        assert answer.status_code == 422
        page = answer.content.decode()
        assert "at 120 kg this is above 300 mcg/min" in page
        assert reverse("patients:correct", args=[course.pk, rate.pk]) in page
        assert not Entry.objects.filter(replaces=admitted).exists()
        address = url("retract", course, heavy.entries[0].pk)
        assert nurse_client.post(address, form(reason="no"), **HTMX).status_code == 200

    def test_the_first_weight_after_a_rate_that_waits_for_one(
        self, nurse_client: Client, nurse: User
    ) -> None:
        course = admit(nurse, mrn="W-1", weight_kg=None)
        chart(course, nurse, "vasopressor", ago(hours=1), **NE, rate="3")
        assert "weight_kg" in refused(nurse_client, course, "weight", weight_kg="101")
        assert send(nurse_client, course, "weight", weight_kg="99").status_code == 200

    def test_a_rate_with_the_weight_of_its_own_time(
        self, nurse_client: Client, course: Course, nurse: User
    ) -> None:
        chart(course, nurse, "weight", ago(hours=2), weight_kg="101")
        assert "At 101 kg" in refused(nurse_client, course, "vasopressor", **NE, rate="3")["rate"]
        then = ago(hours=3).astimezone()
        when = {"observed_date": f"{then:%Y-%m-%d}", "observed_time": f"{then:%H:%M}"}
        late = send(nurse_client, course, "vasopressor", **NE, rate="3", **when)
        assert not late.context or not late.context["form"].errors

    def test_a_rate_that_was_beyond_its_limit_before_does_not_block_other_weights(
        self, nurse_client: Client, course: Course, nurse: User
    ) -> None:
        """As a file of an earlier version could bring it."""
        rate = NewEntry("vasopressor", ago(hours=1), {**NE, "rate": "12"})
        record(course, nurse, [rate], recorded_at=timezone.now())
        assert send(nurse_client, course, "weight", weight_kg="81").status_code == 200

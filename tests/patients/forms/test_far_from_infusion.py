"""Times far from the infusion are asked about or refused, and typed dates have a possible year."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from patients.models import Course, Entry
from tests.entry_forms import send, send_correction, url
from tests.factories import admit, chart

ZONES = ("UTC", "America/New_York", "Asia/Tokyo", "Europe/Zurich")
ENDS = (("0001-01-01", "00:00"), ("1899-12-31", "23:59"), ("9999-12-31", "23:59"))
OF_NO_KIND_BUT_TIME = {
    "weight": {"weight_kg": "80"},
    "note": {"note": "seen"},
    "vitals": {"temperature": "38"},
    "fluid_bolus": {"volume_ml": "500"},
}


def typed(at: datetime) -> dict[str, str]:
    """Date and time of ``at`` as typed."""
    there = timezone.localtime(at)
    return {"observed_date": f"{there:%Y-%m-%d}", "observed_time": f"{there:%H:%M}"}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("day", "clock"), ENDS)
@pytest.mark.parametrize("kind", list(OF_NO_KIND_BUT_TIME))
def test_the_ends_of_the_calendar_are_refused_in_every_form(
    nurse_client: Client, course: Course, settings: Any, zone: str, day: str, clock: str, kind: str
) -> None:
    settings.TIME_ZONE = zone
    fields = OF_NO_KIND_BUT_TIME[kind] | {"observed_date": day, "observed_time": clock}
    answer = send(nurse_client, course, kind, **fields)
    assert answer.status_code == 422
    errors = answer.context["form"].errors
    place = "observed_time" if day.startswith("9") else "observed_date"
    assert f"The year {int(day[:4])} " in errors[place][0]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("day", "clock"), ENDS)
def test_a_transfer_refuses_them(
    nurse_client: Client, course: Course, settings: Any, zone: str, day: str, clock: str
) -> None:
    settings.TIME_ZONE = zone
    opened = nurse_client.get(url("transfer", course)).context["place_forms"][0]
    sent = {
        "what": "moved", "form_id": opened["form_id"].value(), "seen": opened["seen"].value(),
        "ward": "ICU", "bed": "3", "observed_date": day, "observed_time": clock,
    }  # fmt: skip
    answer = nurse_client.post(url("transfer", course), sent)
    assert answer.status_code == 422
    assert not course.transfers.exists()


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("day", "clock"), ENDS)
def test_a_policy_decision_refuses_them(
    administrator_client: Client, settings: Any, zone: str, day: str, clock: str
) -> None:
    settings.TIME_ZONE = zone
    sent = {"from_date": day, "from_time": clock, "reason": "decided"}
    answer = administrator_client.post(reverse("patients:policy"), sent)
    assert answer.status_code == 422
    assert {"from_date", "from_time"} & answer.context["form"].errors.keys()


class TestAnEntryLongBeforeTheInfusion:
    def test_more_than_sixty_days_is_asked_about(
        self, nurse_client: Client, course: Course
    ) -> None:
        near = course.infused_at - timedelta(days=59)
        sent = {"weight_kg": "80", **typed(near)}
        assert send(nurse_client, course, "weight", **sent).status_code == 200
        far = course.infused_at - timedelta(days=61)
        sent = {"weight_kg": "80", **typed(far)}
        asked = send(nurse_client, course, "weight", **sent)
        assert asked.status_code == 422
        form = asked.context["form"]
        assert form.unconfirmed_fields == {"observed_date"}
        (question,) = form.questions
        assert "more than 60 days before the infusion" in question.sentence
        sent["confirmed"] = form.questions_digest
        assert send(nurse_client, course, "weight", **sent).status_code == 200
        assert course.entries.filter(at=far.replace(second=0, microsecond=0)).exists()

    @pytest.mark.parametrize("kind", ["weight", "note"])
    def test_more_than_five_years_is_refused(
        self, nurse_client: Client, course: Course, kind: str
    ) -> None:
        far = course.infused_at - timedelta(days=5 * 366)
        answer = send(nurse_client, course, kind, **OF_NO_KIND_BUT_TIME[kind], **typed(far))
        assert answer.status_code == 422
        assert "more than 5 years before" in answer.context["form"].errors["observed_date"][0]

    def test_a_correction_that_moves_it_there_is_asked_about_or_refused(
        self, nurse_client: Client, course: Course
    ) -> None:
        weight = course.entries.get(kind="weight")
        for days, place in ((61, None), (5 * 366, "observed_date")):
            far = course.infused_at - timedelta(days=days)
            answer = send_correction(nurse_client, course, weight, **typed(far))
            assert answer.status_code == 422
            assert (place in answer.context["form"].errors) is (place is not None)
        assert not Entry.objects.filter(replaces=weight).exists()

    def test_a_correction_that_leaves_it_there_is_not_asked_about(
        self, nurse_client: Client, course: Course
    ) -> None:
        for days in (61, 5 * 366):
            at = course.infused_at - timedelta(days=days)
            chart(course, course.admitted_by, "note", at, note="from an imported file")
            note = course.entries.get(kind="note", at=at)
            answer = send_correction(nurse_client, course, note, note="corrected")
            assert answer.status_code == 200
            assert note.replaced_by.at == at


def test_more_than_five_years_after_the_infusion_is_refused(
    nurse_client: Client, clinician: User
) -> None:
    old = admit(clinician, infused_at=timezone.now() - timedelta(days=5 * 366))
    answer = send(nurse_client, old, "vitals", temperature="38")
    assert answer.status_code == 422
    assert "more than 5 years after" in answer.context["form"].errors["observed_date"][0]

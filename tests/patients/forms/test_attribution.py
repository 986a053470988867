"""Another cause needs its reason, and the next entry of the same thing proposes it."""

from typing import Any

from django.test import Client
from django.urls import reverse

from patients.models import ChartingAct, Course, Entry
from tests.entry_forms import HTMX, send


def last_answers(course: Course) -> dict[str, Any]:
    return ChartingAct.objects.filter(course=course).latest("recorded_at").answers


class TestAttribution:
    """Another cause wants its reason, and the next entry of the same thing proposes it."""

    def test_another_cause_wants_its_reason(self, nurse_client: Client, course: Course) -> None:
        fields = {"temperature": "39", "attribution": "other"}
        refused = send(nurse_client, course, "vitals", **fields)
        assert "Say what else it is due to" in refused.content.decode()
        saved = send(nurse_client, course, "vitals", **fields, attribution_reason="line sepsis")
        assert saved.status_code == 200
        assert last_answers(course) == {"attribution_reason": "line sepsis"}
        assert "line sepsis" in saved.content.decode()

    def test_one_vital_sign_of_a_set(self, nurse_client: Client, course: Course) -> None:
        fields = {
            "temperature": "39",
            "systolic_mmhg": "84",
            "attribution_systolic_mmhg": "other",
            "attribution_reason": "bleeding",
        }
        saved = send(nurse_client, course, "vitals", **fields)
        assert saved.context["card"].grade == 1
        body = Entry.objects.get(course=course, kind="vitals").body
        assert body["attribution"] == {"temperature_c": "crs", "systolic_mmhg": "other"}

    def test_the_last_attribution_is_proposed_in_sight(
        self, nurse_client: Client, course: Course
    ) -> None:
        fields = {"temperature": "39", "attribution_temperature_c": "other"}
        send(nurse_client, course, "vitals", **fields, attribution_reason="transfusion")
        page = nurse_client.get(reverse("patients:bedside", args=[course.pk]))
        form = page.context["form"]
        assert form["attribution_temperature_c"].value() == "other"
        assert form["attribution_heart_rate"].value() in (None, "")
        assert form["attribution_reason"].value() == "transfusion"
        assert "As last charted" in page.content.decode()

        send(nurse_client, course, "vitals", temperature="37.2")
        form = nurse_client.get(reverse("patients:bedside", args=[course.pk])).context["form"]
        assert not form.proposes_attribution

    def test_oxygen_proposes_what_oxygen_was_ascribed_to(
        self, nurse_client: Client, course: Course
    ) -> None:
        fields = {"device": "nasal_cannula", "attribution": "uncertain"}
        send(nurse_client, course, "oxygen", **fields, attribution_reason="known COPD")
        form = nurse_client.get(reverse("patients:entries", args=[course.pk, "oxygen"]), **HTMX)
        assert form.context["form"]["attribution"].value() == "uncertain"

"""Who a patient was at a moment, over joined records and an age that was corrected between."""

import uuid
from datetime import date

import pytest
from django.test import Client

from crs_app.accounts.models import User
from patients.models import Course
from tests.entry_forms import url
from tests.factories import ADULT_BORN, admit
from tests.patients.identity.test_join import join, undo

pytestmark = pytest.mark.django_db


def shown(client: Client, course: Course, known_at: str = "") -> tuple[str, str, date | None, str]:
    query = {"known_at": known_at} if known_at else {}
    banner = client.get(url("review", course), query).context["banner"]
    return banner.name, banner.mrn, banner.birth_date, banner.age_text


def test_the_course_of_a_joined_record_was_whose_it_was_at_each_moment(
    course: Course, clinician: User, nurse_client: Client, administrator_client: Client
) -> None:
    other = admit(
        clinician, mrn="2", name="WEBER, Luca", product="another", birth_date=None, age_years="8"
    )
    said = {}

    def look() -> None:
        page = nurse_client.get(url("review", other))
        said[page.context["latest"].isoformat()] = shown(nurse_client, other)

    look()
    assert join(administrator_client, course, other).status_code == 302
    look()
    data = {
        "form_id": str(uuid.uuid4()), "what": "birth", "reason": "no papers",
        "age_years": "56", "age_years_1": "55",
    }  # fmt: skip
    preview = nurse_client.post(url("identity", course), data | {"step": "preview"})
    sent = {"step": "confirm", "compared": "yes", "seen": preview.context["seen"]}
    assert nurse_client.post(url("identity", course), data | sent).status_code == 302
    look()
    assert undo(administrator_client, course).status_code == 302
    look()
    mrn = course.patient.mrn
    assert list(said.values())[0::3] == [("WEBER, Luca", "2", None, "8 y")] * 2
    joined, corrected = list(said.values())[1:3]
    assert joined[:3] == ("OKONKWO, Ada", mrn, ADULT_BORN)
    assert corrected == ("OKONKWO, Ada", mrn, None, "55 y")
    assert [shown(nurse_client, other, known_at) for known_at in said] == list(said.values())

"""Every form that records something shows two identifiers of the patient: name and MRN."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from crs_app.accounts.models import User
from patients.forms.registry import ENTRY_FORMS
from patients.models import Course
from tests.entry_forms import HTMX, text_of
from tests.factories import admit, chart


@pytest.mark.parametrize("kind", ENTRY_FORMS)
def test_name_and_number_are_shown_with_every_save_button(
    nurse_client: Client, nurse: User, course: Course, kind: str
) -> None:
    """In every form that records something, on the page and alone."""
    entry = chart(course, nurse, "vitals", temperature_c="38.5").entries[0]
    pages = [
        nurse_client.get(reverse("patients:bedside", args=[course.pk]), {"kind": kind}),
        nurse_client.get(reverse("patients:entries", args=[course.pk, kind]), **HTMX),
        nurse_client.get(reverse("patients:correct", args=[course.pk, entry.pk]), **HTMX),
        nurse_client.get(reverse("patients:retract", args=[course.pk, entry.pk]), **HTMX),
        nurse_client.get(reverse("patients:retract", args=[course.pk, entry.pk])),
        nurse_client.get(reverse("patients:transfer", args=[course.pk])),
        nurse_client.get(reverse("patients:identity", args=[course.pk]), {"what": "birth"}),
    ]
    for page in pages:
        assert_identified(page.content.decode(), course)


def test_name_and_number_are_shown_with_answers_to_guidance(
    nurse_client: Client, nurse: User, course: Course
) -> None:
    chart(course, nurse, "vitals", temperature_c="38.5")
    page = nurse_client.get(
        reverse(
            "patients:guidance_answer", args=[course.pk, "support.vigilant", "not_appropriate"]
        ),
        **HTMX,
    )
    assert_identified(page.content.decode(), course)
    panel = nurse_client.get(reverse("patients:guidance", args=[course.pk]), **HTMX)
    assert named(course) in text_of(panel.content.decode())


def named(course: Course) -> str:
    return f"{course.patient.name} · MRN {course.patient.mrn}"


def assert_identified(html: str, course: Course) -> None:
    """Each form that is sent to a course has the name in it, or the panel that it stands in has."""
    forms = re.findall(r'<form(?:(?!</form>).)*method="post".*?</form>', html, re.DOTALL)
    charting = [form for form in forms if "/courses/" in form.split(">")[0]]
    assert charting
    for form in charting:
        if "data-guidance" not in form:
            assert named(course) in text_of(form), form[:300]


def test_name_and_number_are_shown_with_a_correction_a_join_and_a_move(
    nurse_client: Client, administrator_client: Client, nurse: User, course: Course
) -> None:
    entry = chart(course, nurse, "vitals", temperature_c="38.5").entries[0]
    other = admit(nurse, product="another")
    typed = {"what": "name", "name": "X, Y", "reason": "r", "form_id": str(course.pk)}
    pages = [
        nurse_client.post(reverse("patients:identity", args=[course.pk]), typed),
        administrator_client.get(
            reverse("patients:join", args=[course.pk]), {"with": other.patient_id}
        ),
        nurse_client.get(
            reverse("patients:move_entry", args=[course.pk, entry.pk]), {"to": other.pk}
        ),
    ]
    for page in pages:
        assert_identified(page.content.decode(), course)

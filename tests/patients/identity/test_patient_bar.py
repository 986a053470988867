"""The pages of an identity name the patient in a bar that stays in sight."""

import pytest
from django.test import Client
from django.urls import reverse

from patients.models import Course

pytestmark = pytest.mark.django_db


def test_the_patient_is_named_in_the_bar(nurse_client: Client, course: Course) -> None:
    text = nurse_client.get(reverse("patients:identity", args=[course.pk])).content.decode()
    bar = text[text.index('class="patient-bar') :]
    assert course.patient.name in bar[: bar.index("</section>")]

"""An entry to correct."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crs_app.accounts.models import User
from patients.models import Course, Entry
from tests.factories import chart


@pytest.fixture
def entry(course: Course, clinician: User) -> Entry:
    at = timezone.now() - timedelta(minutes=30)
    return chart(course, clinician, "vitals", at, temperature_c="38.5").entries[0]

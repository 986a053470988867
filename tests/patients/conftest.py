"""A course to chart on, and who charts on it."""

import pytest

from crs_app.accounts.models import User
from patients.models import Course
from tests.factories import UserFactory, admit


@pytest.fixture
def clinician(db: None) -> User:
    return UserFactory()


@pytest.fixture
def course(clinician: User) -> Course:
    """An adult of 80 kg, baseline 126/74, infused two days ago."""
    return admit(clinician, baseline={"systolic_mmhg": "126", "diastolic_mmhg": "74"})

"""Courses at a grade, and decisions on policy."""

import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from crs_app.accounts.models import User
from grading.engine.policy import policy_from
from patients.models import Course, SitePolicy
from patients.policy.decide import Decision, decide
from patients.queries.courses import read_course
from patients.queries.policies import read_latest_site_decision
from tests.factories import admit, ago, chart
from tests.patients.policy.policy_form import Make
from tests.patients.review.reviewed_course import import_reviewed


@pytest.fixture(scope="module")
def imported_once(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Callable[[], Course]]:
    """Reads the course of ``reviewed_course.json``, imported once for the tests of a module.

    They run inside its transaction, each in a savepoint of its own.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        by = User.objects.create_user("ruiz", first_name="Jo", last_name="Ruiz")
        pk = import_reviewed(by).pk
        yield lambda: read_course(pk)
        transaction.set_rollback(True)


@pytest.fixture
def grade_1(course: Course, clinician: User) -> Course:
    chart(course, clinician, "vitals", ago(minutes=30), temperature_c="38.6")
    return course


@pytest.fixture
def grade_2(grade_1: Course, clinician: User) -> Course:
    chart(grade_1, clinician, "oxygen", ago(minutes=20), device="nasal_cannula", flow_l_per_min="2")
    return grade_1


@pytest.fixture
def grade_3(grade_1: Course, clinician: User) -> Course:
    chart(grade_1, clinician, "oxygen", ago(minutes=20), device="venturi_mask", fio2_percent="50")
    return grade_1


@pytest.fixture
def on_cpap(clinician: User) -> Course:
    """Grade 3, or 4 where the site grades CPAP so."""
    course = admit(clinician, baseline={"systolic_mmhg": "126", "diastolic_mmhg": "74"})
    chart(course, clinician, "oxygen", ago(60), device="cpap")
    return read_course(course.pk)


@pytest.fixture
def decided(administrator: User) -> Make:
    """Decides a policy for the site."""

    def make(valid_from: datetime | None = None, **overrides: Any) -> SitePolicy:
        latest = read_latest_site_decision()
        return decide(
            Decision(
                policy=policy_from(overrides),
                valid_from=valid_from,
                reason="Agreed in the CRS meeting",
                by=administrator,
                form_id=uuid.uuid4(),
                seen=latest.pk if latest else 0,
            )
        )

    return make

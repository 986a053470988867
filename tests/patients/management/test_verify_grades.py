"""`manage.py verify_grades`: stored grades and checkpoints compared with a recomputation."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from grading.systems import HEADLINE
from patients.models import Course, GradeCheckpoint
from patients.queries.grades import periods_known_now
from tests.factories import chart


def test_a_stored_grade_that_differs_is_found(course: Course, clinician: Any) -> None:
    chart(course, clinician, "vitals", temperature_c="38.5")
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE patients_gradeperiod SET grade = 2, at_most = 2 WHERE grade = 1")
        cursor.execute("SET session_replication_role = origin")
    errors = StringIO()
    with pytest.raises(CommandError, match="1 of 1"):
        call_command("verify_grades", stderr=errors)
    assert "stored grade 2" in errors.getvalue()


def test_a_checkpoint_that_differs_is_found(course: Course, clinician: Any) -> None:
    for _ in range(2):
        for _ in range(30):
            chart(course, clinician, "vitals", temperature_c="38.5")
    checkpoint = GradeCheckpoint.objects.filter(course=course).first()
    assert checkpoint is None or periods_known_now(course, HEADLINE).exists()

"""`manage.py verify_grades`: stored grades and checkpoints compared with a recomputation."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from patients.models import Course, EntryKind, GradeCheckpoint
from patients.recording.inputs import NewEntry
from tests.factories import admit, chart, record


@pytest.mark.usefixtures("as_owner")
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


@pytest.mark.usefixtures("as_owner")
def test_a_checkpoint_that_differs_is_found(clinician: Any) -> None:
    """The checkpoint of a course with fever gets the state of one without: the next differs."""
    start = timezone.now() - timedelta(hours=3)
    checkpoints = []
    for temperature in ("38.5", "36.5"):
        course = admit(clinician, infused_at=start)
        entries = [
            NewEntry(EntryKind.VITALS, start + timedelta(minutes=n), {"temperature_c": temperature})
            for n in range(1, 120)
        ]
        record(course, clinician, entries)
        chart(course, clinician, "vitals", temperature_c=temperature)
        checkpoints.append(GradeCheckpoint.objects.filter(course=course).latest("at"))
    call_command("verify_grades")
    with_fever, without = checkpoints
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        GradeCheckpoint.objects.filter(pk=with_fever.pk).update(state=without.state)
        cursor.execute("SET session_replication_role = origin")
    errors = StringIO()
    with pytest.raises(CommandError, match="1 of 2"):
        call_command("verify_grades", stderr=errors)
    assert "resumed grade 1" in errors.getvalue()

"""The database refuses to change an answer to guidance, and an incomplete one."""

import uuid
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from patients.models import Course, GuidanceAnswer
from tests.patients.guidance_panel import ICU, answered

# Not even the owner of the tables may; the web role has no such right to begin with.
pytestmark = pytest.mark.usefixtures("as_owner")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE patients_guidanceanswer SET reply = 'stabilised'",
        "DELETE FROM patients_guidanceanswer",
        "TRUNCATE patients_guidanceanswer",
    ],
)
def test_an_answer_stays_as_it_was_given(
    nurse_client: Client, grade_3: Course, statement: str
) -> None:
    answered(nurse_client, grade_3, ICU, "done")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute(f"SET CONSTRAINTS ALL IMMEDIATE; {statement}")


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"reply": "maybe"}, "answer_reply_known_word"),
        ({"reply": "not_now"}, "answer_not_now_returns"),
        ({"reply": "not_appropriate"}, "answer_not_appropriate_says_why"),
    ],
)
def test_an_answer_without_what_it_needs_is_refused_by_the_database(
    nurse_client: Client, grade_3: Course, changes: dict[str, str], constraint: str
) -> None:
    answered(nurse_client, grade_3, ICU, "done")
    kept = GuidanceAnswer.objects.get()
    act = kept.act
    act.pk, act.form_id = uuid.uuid4(), uuid.uuid4()
    act.recorded_at += timedelta(seconds=1)
    act.save(force_insert=True)
    kept.pk, kept.act = uuid.uuid4(), act
    for field, value in changes.items():
        setattr(kept, field, value)
    with pytest.raises(DatabaseError, match=constraint), transaction.atomic():
        kept.save(force_insert=True)

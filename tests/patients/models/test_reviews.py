"""The database refuses to change or remove a sign-off, and to store an impossible one."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from crs_app.accounts.models import Role, User
from patients.models import Course, CourseSeen, GradeReview
from patients.review.sign import mark_seen
from tests.factories import ago

# Not even the owner of the tables may; the web role has no such right to begin with.
pytestmark = pytest.mark.usefixtures("as_owner")


def review(course: Course, by: User, **changes: Any) -> GradeReview:
    now = ago()
    row: dict[str, Any] = {
        "course": course, "form_id": uuid.uuid4(), "system": "lee-2014",
        "start": now - timedelta(hours=2), "end": now, "computed_grade": 2, "stated_grade": 2,
        "known_at": now, "entry_number": 3, "ruleset_version": "2", "recorded_at": now,
        "recorded_by": by, "author_name": "A. Osei", "author_role": Role.ICU_REVIEWER,
    }  # fmt: skip
    with transaction.atomic():
        return GradeReview.objects.create(**row | changes)


@pytest.fixture
def recorded(course: Course, intensivist: User) -> Course:
    review(course, intensivist)
    mark_seen(course, intensivist, ago(1))
    return course


@pytest.mark.parametrize("table", ["gradereview", "courseseen"])
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM patients_{table}",
        "TRUNCATE patients_{table}",
        "UPDATE patients_{table} SET known_at = known_at - interval '1 hour'",
    ],
)
def test_rows_are_never_changed_or_removed(recorded: Course, table: str, statement: str) -> None:
    with pytest.raises(IntegrityError, match="append-only"):
        _run_with_deferred_checks(statement.format(table=table))


@transaction.atomic
def _run_with_deferred_checks(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statement)


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"stated_grade": 3}, "review_another_grade_says_why"),
        ({"stated_grade": 3, "reason": "because"}, "review_another_grade_says_why"),
        ({"reason": "sicker"}, "review_another_grade_says_why"),
        ({"stated_grade": 3, "reason": "other"}, "review_other_reason_in_words"),
        ({"stated_grade": 6, "reason": "sicker"}, "review_grades_known"),
        ({"computed_grade": 6, "stated_grade": 6}, "review_grades_known"),
        ({"start": ago(hours=-48)}, "review_span_not_empty"),
        ({"end": ago(hours=-48)}, "review_span_not_empty"),
        ({"known_at": ago(hours=-48)}, "review_known_by_then"),
        ({"author_role": "nurse"}, "review_role_known_word"),
        ({"start": ago(hours=24 * 366 * 130)}, "review_in_calendar"),
    ],
)
def test_an_impossible_sign_off_is_refused(
    course: Course, intensivist: User, changes: dict[str, Any], constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        review(course, intensivist, **changes)


def test_a_form_signs_once(course: Course, intensivist: User) -> None:
    form_id = uuid.uuid4()
    review(course, intensivist, form_id=form_id)
    with pytest.raises(IntegrityError, match="review_form_once"):
        review(course, intensivist, form_id=form_id)


def test_the_same_moment_is_marked_as_seen_once_and_never_in_the_future(
    course: Course, intensivist: User
) -> None:
    seen, ahead = ago(1), ago(-60)
    mark_seen(course, intensivist, seen)
    mark_seen(course, intensivist, seen)
    assert CourseSeen.objects.get().known_at == seen
    mark_seen(course, intensivist, ahead)
    latest = CourseSeen.objects.order_by("pk").last()
    assert latest is not None
    assert latest.known_at == latest.seen_at < ahead

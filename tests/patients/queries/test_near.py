"""A course read near an instant, from a checkpoint on, says what the whole course says."""

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.utils import timezone

from crs_app.accounts.models import User
from grading.systems import HEADLINE
from patients.models import Course, Fact, GradeCheckpoint
from patients.queries.known_at import CourseKnownAt, read_known_at
from patients.queries.near import Near, read_near
from patients.queries.status import status_known_at
from patients.recording.identity import IdentityChange, correct_identity, identity_token
from patients.review.page import at_cursor, runs_of
from tests.factories import chart, sending
from tests.patients.review.reviewed_course import import_reviewed

pytestmark = pytest.mark.django_db


@pytest.fixture
def reviewed(nurse: User) -> Course:
    return import_reviewed(nurse)


def near_and_whole(course: Course, at: Any, known_at: Any) -> tuple[CourseKnownAt, CourseKnownAt]:
    near = read_near(course, HEADLINE, at=at, known_at=known_at)
    return (
        read_known_at(course, HEADLINE, known_at, near),
        read_known_at(course, HEADLINE, known_at),
    )


def said(known: CourseKnownAt, at: Any) -> tuple[object, ...]:
    status = status_known_at(known, at)
    cursor = at_cursor(known, status)
    runs = [(run.start, run.end, run.grade) for run in runs_of(known.periods)]
    return (cursor, status.current, status.baseline, status.for_guidance, status.answers, runs)


def resumed(course: Course, at: Any, known_at: Any) -> Near:
    return read_near(course, HEADLINE, at=at, known_at=known_at)


def test_every_instant_as_known_at_every_time_is_that_of_the_whole_course(
    reviewed: Course, nurse: User
) -> None:
    """A late baseline, a late entry and a correction are among what was recorded."""
    chart(
        reviewed, nurse, "vitals", reviewed.infused_at + timedelta(hours=50), temperature_c="39.9"
    )
    chart(
        reviewed, nurse, "baseline", reviewed.infused_at + timedelta(hours=2), systolic_mmhg="150"
    )
    until = timezone.now()
    times = [reviewed.infused_at + timedelta(hours=hour) for hour in range(-1, 120, 13)]
    resumes = 0
    for at, known_at in product(times, [*times, until]):
        if at <= known_at:
            near, whole = near_and_whole(reviewed, at, known_at)
            assert said(near, at) == said(whole, at), (at, known_at)
            resumes += near.near is not None and near.near.resume is not None
            assert len(near.rows) <= len(whole.rows)
    assert resumes, "no instant resumed at a checkpoint: nothing was tried"


def test_a_checkpoint_serves_the_past_where_nothing_later_reaches_back(
    reviewed: Course, nurse: User
) -> None:
    infused_at, until = reviewed.infused_at, timezone.now()
    at = infused_at + timedelta(hours=80)
    then = at + timedelta(hours=12)
    before = resumed(reviewed, at, then).resume
    assert before is not None
    assert before.at > infused_at + timedelta(hours=60)
    chart(reviewed, nurse, "vitals", infused_at + timedelta(hours=30), temperature_c="38.8")
    after = resumed(reviewed, at, then).resume
    assert after is None or after.at < infused_at + timedelta(hours=30)
    now = resumed(reviewed, until, timezone.now()).resume
    assert now is not None
    assert now.at == GradeCheckpoint.objects.filter(course=reviewed).latest("at").at


@pytest.mark.parametrize("what", ["baseline", "identity"])
def test_no_checkpoint_serves_the_past_of_another_baseline_or_identity(
    what: str, reviewed: Course, nurse: User
) -> None:
    at = reviewed.infused_at + timedelta(hours=80)
    assert resumed(reviewed, at, at).resume is not None
    if what == "baseline":
        chart(reviewed, nurse, "baseline", timezone.now(), systolic_mmhg="150")
    else:
        seen = identity_token([reviewed])
        change = IdentityChange(
            Fact.PRODUCT, "label", seen, of_courses={reviewed.pk: {"product": "another"}}
        )
        correct_identity(reviewed.patient_id, change, sending(nurse))
    assert resumed(reviewed, at, at).resume is None

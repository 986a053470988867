"""The sign-offs of a course of five days, beside a late entry, a correction and the clock.

The course is that of the review page; the sign-offs are stored as reviewers made them then.
"""

from __future__ import annotations

import uuid
from datetime import datetime

import pytest

from crs_app.accounts.models import Role, User
from grading.systems import HEADLINE
from patients.models import Course, GradeReview
from patients.queries.reviews import read_course_reviews
from patients.review.sign_off import ReviewPeriod, State, review_periods
from patients.review.text import state_text
from tests.patients.review.reviewed_course import import_reviewed

NOW = "28 09:40"


def there(text: str) -> datetime:
    """A time of November 2026 where the course was charted: "27 06:30"."""
    day, clock = text.split()
    return datetime.fromisoformat(f"2026-11-{day}T{clock}:00+01:00")


@pytest.fixture
def story(nurse: User, intensivist: User) -> Course:
    course = import_reviewed(nurse)
    hale = User.objects.create_user("hale", role=Role.ICU_REVIEWER)
    for by, start, end, computed, stated, signed_at in (
        (hale, "24 19:30", "26 04:10", 1, 1, "26 06:00"),
        (hale, "26 04:10", "26 14:20", 2, 2, "26 14:20"),
        (intensivist, "26 14:20", "27 06:30", 2, 2, "27 06:30"),
        (hale, "27 06:30", "27 11:55", 2, 3, "27 12:30"),
    ):
        GradeReview.objects.create(
            course=course,
            form_id=uuid.uuid4(),
            system=HEADLINE.key,
            start=there(start),
            end=there(end),
            computed_grade=computed,
            stated_grade=stated,
            reason="" if computed == stated else "sicker",
            known_at=there(signed_at),
            entry_number=1,
            ruleset_version=HEADLINE.version,
            recorded_at=there(signed_at),
            recorded_by=by,
            author_name="A. Osei" if by == intensivist else "T. Hale",
            author_role=by.role,
        )
    return course


def periods(course: Course, now: str, known_at: str | None = None) -> list[ReviewPeriod]:
    known = None if known_at is None else there(known_at)
    chart = read_course_reviews(course.pk, HEADLINE, there(now), known_at=known)
    return review_periods(chart.runs, chart.sign_offs, there(now))


def test_each_period_has_the_state_that_is_drawn(story: Course, intensivist: User) -> None:
    found = periods(story, NOW)
    assert [(one.start, one.state, one.waits) for one in found] == [
        (story.infused_at, State.NOTHING_TO_SIGN, False),
        (there("24 19:30"), State.SIGNED, False),
        (there("26 04:10"), State.SIGNED, False),
        (there("26 14:20"), State.NEW_LOOK, True),
        (there("27 06:30"), State.ANOTHER_GRADE, False),
        (there("27 11:55"), State.NOT_SIGNED, True),
        (there("27 20:40"), State.NOT_SIGNED, True),
    ]
    raised = found[3].to_sign
    assert (raised.start, raised.end, raised.grade) == (there("26 19:30"), there("26 21:10"), 3)
    assert ", you signed 2" in state_text(found[3], intensivist.pk)


def test_before_the_late_entry_was_charted_the_sign_off_stood(story: Course) -> None:
    """FiO2 50 % of the evening before was charted at 07:55."""
    before, after = (periods(story, at, at) for at in ("27 07:54", "27 07:56"))
    assert State.NEW_LOOK not in [one.state for one in before]
    assert [one.start for one in after if one.state is State.NEW_LOOK] == [there("26 14:20")]


def test_the_clock_raises_a_period_at_its_minute_with_no_entry(story: Course) -> None:
    """Three hours at high dose were over at 11:55; the file has no entry at that time."""
    before, after = (periods(story, at)[-1] for at in ("27 11:54", "27 11:55"))
    assert (before.start, before.to_sign.grade) == (there("27 06:30"), 2)
    assert (after.start, after.to_sign.grade) == (there("27 11:55"), 3)
    assert after.state is State.NOT_SIGNED

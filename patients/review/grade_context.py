"""The context of the grade at an instant: the advice, the policy in force and the sign-off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from grading.systems import HEADLINE
from patients.display.assessment import missing_for_grade_0
from patients.display.author import author_text
from patients.display.sign_off import span_text, time_text
from patients.display.text import date_time_text
from patients.policy.text import summary_of
from patients.queries.known_at import CourseKnownAt
from patients.queries.policies import ALWAYS, period_at
from patients.queries.reviews import CourseReviews, read_course_reviews
from patients.queries.status import CourseStatus
from patients.review.instant import AdviceLine, advice_lines
from patients.review.sign_off import graded_until, review_periods
from patients.review.sign_off import period_at as review_period_at
from patients.review.text import state_text


@dataclass(frozen=True, slots=True)
class SignedAt:
    """The sign-off of the period at an instant, as it was known.

    ``author`` is who signed it, or what came before it, with role and time; "" for neither.
    """

    span: str
    text: str
    author: str


@dataclass(frozen=True, slots=True)
class GradeContext:
    """Advice, policy and sign-off at an instant, as they were known."""

    advice: Sequence[AdviceLine]
    policy: str
    signed: SignedAt | None


def grade_context(
    known: CourseKnownAt, status: CourseStatus, reviews: CourseReviews | None = None
) -> GradeContext:
    """Return advice, policy and sign-off at the instant of ``status``.

    ``reviews`` are those of the course as known then; None reads them, in one statement.
    """
    if reviews is None:
        reviews = read_course_reviews(
            known.course.pk, HEADLINE, known.known_at, known_at=known.known_at
        )
    at = status.current.at
    signed = _signed_at(known, reviews, at, is_assessed=not missing_for_grade_0(status.current))
    return GradeContext(advice_lines(known, status), _policy_text(known, at), signed)


def _policy_text(known: CourseKnownAt, at: datetime) -> str:
    period = period_at(known.policy_periods, at)
    if period is None:
        return ""
    is_first = period.valid_from == ALWAYS
    since = "of the admission" if is_first else f"from {date_time_text(period.valid_from)}"
    return f"Policy {since}: {summary_of(period.policy)}"


def _signed_at(
    known: CourseKnownAt, chart: CourseReviews, at: datetime, *, is_assessed: bool
) -> SignedAt | None:
    until = graded_until(known.known_at, known.course.ended_at, chart.latest_clinical_at)
    is_open = known.course.ended_at is None
    period = review_period_at(
        review_periods(chart.runs, chart.sign_offs, until, goes_on=is_open), at
    )
    if period is None:
        return None
    sign_off = period.sign_off or period.before
    return SignedAt(
        f"from {time_text(period.start)}"
        if period.is_open
        else span_text(period.start, period.end),
        state_text(period, None, is_assessed=is_assessed),
        ""
        if sign_off is None
        else f"{author_text(sign_off.author_name, sign_off.author_role)}, "
        f"{date_time_text(sign_off.recorded_at)}",
    )

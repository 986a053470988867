"""The list of what waits for a reviewer, and the mark of a course on a board."""

from __future__ import annotations

from datetime import datetime

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from grading.systems import HEADLINE
from patients.models import Course
from patients.queries.reviews import read_course_reviews, read_reviews_of_courses
from patients.review.panel import LISTED, SignOffState, sign_off_state
from patients.review.sign_off import ReviewPeriod, State, review_periods
from tests.factories import admit, ago, chart, correct, sending
from tests.patients.review.sign_off_form import another, signed


def sign_off_lines(course: Course) -> list[ReviewPeriod]:
    """The periods of a course that wait."""
    now = timezone.now()
    chart_now = read_course_reviews(course.pk, HEADLINE, now)
    found = review_periods(chart_now.runs, chart_now.sign_offs, now)
    return [period for period in found if period.waits]


def waiting(client: Client) -> str:
    answer = client.get(reverse("patients:reviews"))
    assert answer.status_code == 200
    return answer.content.decode()


def test_runs_of_grade_1_or_more_wait_and_a_course_at_grade_0_does_not(
    nurse_client: Client, clinician: User, grade_2: Course
) -> None:
    other = admit(clinician, name="VASILE, Ion", bed="09")
    chart(other, clinician, "vitals", ago(30), temperature_c="36.8")
    html = waiting(nurse_client)
    assert "OKONKWO, Ada" in html
    assert "grade 2, not signed" in html
    assert "grade 1, not signed" in html
    assert "VASILE, Ion" not in html
    assert "You can read. Signing needs the role ICU reviewer." in html


def test_what_is_signed_waits_no_more(
    intensivist_client: Client, clinician: User, grade_2: Course
) -> None:
    assert "Nothing waits for you." not in waiting(intensivist_client)
    signed(intensivist_client, grade_2)
    assert "grade 1, not signed" in waiting(intensivist_client)
    signed(intensivist_client, grade_2)
    assert "Nothing waits for you." in waiting(intensivist_client)


def test_a_new_look_stands_before_the_other_periods_of_its_course(
    intensivist_client: Client, clinician: User, grade_2: Course
) -> None:
    signed(intensivist_client, grade_2, ago(25))
    chart(grade_2, clinician, "oxygen", ago(28), device="venturi_mask", fio2_percent="50")
    html = waiting(intensivist_client)
    assert 0 < html.index("needs a new look") < html.index("not signed:")


def test_of_a_course_with_many_periods_the_others_are_counted(
    nurse_client: Client, clinician: User, course: Course
) -> None:
    for number in range(12):
        temperature = "38.6" if number % 2 == 0 else "36.6"
        chart(course, clinician, "vitals", ago(300 - 10 * number), temperature_c=temperature)
        device = "nasal_cannula" if number % 2 else "room_air"
        chart(course, clinician, "oxygen", ago(298 - 10 * number), device=device)
    html = waiting(nurse_client)
    listed = html.count("not signed:")
    assert listed == LISTED
    assert f"and {len(sign_off_lines(course)) - LISTED} more" in html


def mark_of(course: Course) -> SignOffState:
    """The mark of a course as the board computes it."""
    now = timezone.now()
    runs, sign_offs = read_reviews_of_courses([course.pk], HEADLINE, now)[course.pk]
    mark = sign_off_state(review_periods(runs, sign_offs, now))
    assert mark is not None
    return mark


def test_the_mark_of_a_course_is_what_is_most_urgent(
    intensivist_client: Client, clinician: User, grade_2: Course
) -> None:
    quiet = admit(clinician, name="VASILE, Ion", bed="09")
    assert (mark_of(grade_2).state, mark_of(quiet).state) == (
        State.NOT_SIGNED,
        State.NOTHING_TO_SIGN,
    )
    signed(intensivist_client, grade_2)
    signed(intensivist_client, grade_2)
    assert (mark_of(grade_2).waiting, mark_of(grade_2).state.mark) == (0, "✓")
    oxygen = grade_2.entries.get(kind="oxygen")
    correct(oxygen, oxygen.at, {"device": "venturi_mask", "fio2_percent": "50"}, sending(clinician))
    mark = mark_of(grade_2)
    assert (mark.state, mark.waiting) == (State.NEW_LOOK, 1)
    assert "now 3 from" in mark.text
    assert "A. Osei signed 2" in mark.text


def test_what_was_signed_then_is_read_as_it_was_known_then(
    intensivist_client: Client, clinician: User, grade_2: Course
) -> None:
    before = timezone.now()
    signed(intensivist_client, grade_2, **another(3))
    between = timezone.now()
    chart(grade_2, clinician, "oxygen", ago(10), device="venturi_mask", fio2_percent="50")

    def found(known_at: datetime) -> list[State]:
        chart_then = read_course_reviews(grade_2.pk, HEADLINE, known_at, known_at=known_at)
        return [
            one.state for one in review_periods(chart_then.runs, chart_then.sign_offs, known_at)
        ]

    assert State.ANOTHER_GRADE not in found(before)
    assert State.ANOTHER_GRADE in found(between)
    assert State.NEW_LOOK not in found(between)
    assert State.NEW_LOOK in found(timezone.now())

"""A reviewer signs the grade of a period, or states another one beside it."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import Role, User
from patients.display.text import clock_text
from patients.models import Course, GradeReview
from patients.recording.inputs import NewEntry
from patients.recording.record import retract_entry
from tests.entry_forms import HTMX
from tests.entry_forms import send as send_entry
from tests.factories import admit, ago, chart, correct, end, record, sending
from tests.owner import rights_of_owner
from tests.patients.review.sign_off_form import another, opened, page, send, signed

LOOK_AGAIN = "Look again before you sign."


def words(html: str) -> str:
    """The text of a page without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_a_reviewer_agrees_with_the_grade_of_an_open_period(
    intensivist_client: Client, intensivist: User, grade_2: Course
) -> None:
    form = opened(intensivist_client, grade_2)
    assert "Sign as A. Osei" in page(intensivist_client, grade_2)
    assert "Covers all entries up to no. 4" in page(intensivist_client, grade_2)
    answer = send(intensivist_client, grade_2, form)
    review = GradeReview.objects.get()
    assert answer["Location"].startswith(reverse("patients:sign_off", args=[grade_2.pk]))
    assert (review.computed_grade, review.stated_grade, review.reason) == (2, 2, "")
    assert review.start == grade_2.entries.get(kind="oxygen").at
    assert review.end == review.recorded_at
    assert review.last_entry == grade_2.entries.get(kind="oxygen")
    assert review.entry_number == 4
    assert (review.author_name, review.author_role) == ("A. Osei", Role.ICU_REVIEWER)
    shown = words(intensivist_client.get(answer["Location"]).content.decode())
    assert "Grade 2, signed by you" in shown
    assert "Sign as" not in shown


def test_the_page_says_why_the_grade_to_sign_is_what_it_is(
    intensivist_client: Client, grade_2: Course
) -> None:
    html = words(page(intensivist_client, grade_2))
    oxygen = grade_2.entries.get(kind="oxygen")
    assert f"Why, at {clock_text(oxygen.at, timezone.now())}" in html
    assert "2 Nasal cannula 2 L/min" in html
    assert "1 Temperature 38.6 °C" in html


def test_the_page_says_what_is_not_known_of_the_grade_to_sign(
    intensivist_client: Client, clinician: User, grade_1: Course
) -> None:
    chart(grade_1, clinician, "oxygen", ago(20), device="high_flow_nasal_cannula")
    assert "?3 " in words(page(intensivist_client, grade_1))


def test_the_author_keeps_the_name_and_role_of_that_time(
    intensivist_client: Client, intensivist: User, nurse_client: Client, grade_2: Course
) -> None:
    signed(intensivist_client, grade_2)
    with rights_of_owner():
        User.objects.filter(pk=intensivist.pk).update(last_name="Berg", role=Role.AUDITOR)
    html = words(page(nurse_client, grade_2, GradeReview.objects.get().start))
    assert "grade 2, signed by A. Osei" in html
    timeline = nurse_client.get(reverse("patients:bedside", args=[grade_2.pk]))
    assert "A. Osei, ICU reviewer" in words(timeline.content.decode())


def test_another_grade_stands_beside_the_computed_one(
    intensivist_client: Client, nurse_client: Client, grade_2: Course
) -> None:
    signed(intensivist_client, grade_2, **another(3, words="mottled skin"))
    review = GradeReview.objects.get()
    assert (review.computed_grade, review.stated_grade) == (2, 3)
    assert (review.reason, review.words) == ("sicker", "mottled skin")
    html = words(page(nurse_client, grade_2, review.start))
    assert "stated 3, computed then 2: Sicker than the rules show: mottled skin" in html
    state = nurse_client.get(reverse("patients:state", args=[grade_2.pk])).json()
    assert state["grade"] == 2


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"verdict": ""}, "Agree, or choose another grade."),
        ({"verdict": "another"}, "Choose the grade that you state."),
        ({"verdict": "another"}, "Choose the reason."),
        (another(2), "Grade 2 is the computed grade: choose Agree."),
        (another(1, "sicker"), "Grade 1 is lower than the computed 2."),
        (another(3, "less_sick"), "Grade 3 is higher than the computed 2."),
        (another(3, "other"), "Write the reason."),
        (another(6), "Choose one of the grades 0 to 5."),
        (another(3, "because"), "Choose one of the reasons"),
        (another(3, words="x" * 501), "at most 500"),
        ({"known_at": "yesterday"}, "opened too long ago"),
        ({"start": "2026-01-01T10:00"}, "opened too long ago"),
        ({"start": ""}, "opened too long ago"),
        ({"computed": "7"}, "opened too long ago"),
        ({"seen": "-1"}, "opened too long ago"),
        ({"seen": "9" * 30}, "opened too long ago"),
        ({"form_id": "x"}, "opened too long ago"),
    ],
)
def test_what_cannot_be_signed_is_refused_with_what_was_typed(
    intensivist_client: Client, grade_2: Course, fields: dict[str, str], sentence: str
) -> None:
    form = opened(intensivist_client, grade_2)
    answer = send(intensivist_client, grade_2, form, **fields)
    assert answer.status_code == 422
    html = answer.content.decode()
    assert sentence in html
    assert fields.get("words", "") in html
    assert not GradeReview.objects.exists()


def test_who_may_not_sign_reads_and_is_told_why(nurse_client: Client, grade_2: Course) -> None:
    html = page(nurse_client, grade_2)
    assert "You can read. Signing needs the role ICU reviewer." in html
    assert "Sign as" not in html
    answer = send(nurse_client, grade_2, {"form_id": str(uuid.uuid4())})
    assert answer.status_code == 403


def test_a_form_sent_twice_signs_once(intensivist_client: Client, grade_2: Course) -> None:
    form = signed(intensivist_client, grade_2)
    assert send(intensivist_client, grade_2, form).status_code == 302
    answer = send(intensivist_client, grade_2, form, **another(3))
    assert answer.status_code == 409
    assert "already sent with other contents" in answer.content.decode()
    assert GradeReview.objects.count() == 1


def test_a_form_that_another_user_sent_signs_nothing_and_says_who_sent_it(
    intensivist_client: Client, make_user: Any, grade_2: Course
) -> None:
    form = signed(intensivist_client, grade_2)
    colleague = Client()
    colleague.force_login(make_user("icu-2", Role.ICU_REVIEWER))
    answer = send(colleague, grade_2, form)
    assert answer.status_code == 409
    assert "A. Osei already sent this form." in answer.content.decode()
    assert GradeReview.objects.count() == 1


def test_a_period_that_another_has_signed_is_refused_with_his_sign_off(
    intensivist_client: Client, make_user: Any, grade_2: Course
) -> None:
    form = opened(intensivist_client, grade_2)
    hale = Client()
    hale.force_login(make_user("hale", Role.ICU_REVIEWER, first_name="Tom", last_name="Hale"))
    signed(hale, grade_2, **another(3))
    answer = send(intensivist_client, grade_2, form)
    assert answer.status_code == 409
    html = words(answer.content.decode())
    at = clock_text(GradeReview.objects.get().recorded_at, timezone.now())
    assert f"T. Hale signed this period at {at}: grade 3." in html
    assert "T. Hale stated 3, computed then 2" in html
    assert "Sign as" not in html
    assert GradeReview.objects.count() == 1


def test_a_grade_that_rose_while_the_form_was_open_is_not_signed(
    intensivist_client: Client, clinician: User, grade_2: Course
) -> None:
    form = opened(intensivist_client, grade_2)
    late = chart(
        grade_2, clinician, "oxygen", ago(10), device="venturi_mask", fio2_percent="50"
    ).entries[0]
    answer = send(intensivist_client, grade_2, form, **another(3, words="mottled"))
    assert answer.status_code == 409
    html = answer.content.decode()
    at = clock_text(late.recorded_at, timezone.now())
    assert f"The grade of this period changed to 3 at {at}. {LOOK_AGAIN}" in html
    assert "mottled" in html
    assert not GradeReview.objects.exists()


def test_a_grade_that_the_clock_raised_while_the_form_was_open_is_not_signed(
    intensivist_client: Client, clinician: User, course: Course, time_machine: Any, settings: Any
) -> None:
    """High dose becomes grade 3 after three hours; no entry is made."""
    settings.SIGNED_OUT_AFTER_IDLE = timedelta(hours=1)
    begun = ago(hours=2, minutes=50)
    chart(course, clinician, "vasopressor", begun, drug="norepinephrine", rate="22", unit="ug/min")
    form = opened(intensivist_client, course)
    assert form["computed"] == "2"
    time_machine.move_to(begun + timedelta(hours=3, minutes=5))
    answer = send(intensivist_client, course, form)
    assert answer.status_code == 409
    at = clock_text(begun + timedelta(hours=3), timezone.now())
    assert f"changed to 3 at {at}. {LOOK_AGAIN}" in answer.content.decode()


def test_a_period_that_begins_earlier_by_now_is_not_signed(
    intensivist_client: Client, clinician: User, grade_2: Course
) -> None:
    form = opened(intensivist_client, grade_2)
    chart(grade_2, clinician, "oxygen", ago(25), device="nasal_cannula", flow_l_per_min="2")
    answer = send(intensivist_client, grade_2, form)
    assert answer.status_code == 409
    assert "This period changed: it is" in answer.content.decode()


def test_an_entry_that_changes_no_grade_hinders_nobody_and_is_not_covered(
    intensivist_client: Client, clinician: User, grade_2: Course
) -> None:
    form = opened(intensivist_client, grade_2)
    chart(grade_2, clinician, "vitals", ago(2), heart_rate="90")
    assert send(intensivist_client, grade_2, form).status_code == 302
    review = GradeReview.objects.get()
    assert (review.entry_number, review.last_entry.kind) == (4, "oxygen")


def test_a_late_entry_asks_for_a_new_look_and_the_raised_part_is_signed(
    intensivist_client: Client, intensivist: User, clinician: User, grade_2: Course
) -> None:
    signed(intensivist_client, grade_2)
    first = GradeReview.objects.get()
    record(
        grade_2,
        clinician,
        [
            NewEntry("oxygen", ago(15), {"device": "venturi_mask", "fio2_percent": "50"}),
            NewEntry("oxygen", ago(10), {"device": "nasal_cannula", "flow_l_per_min": "2"}),
        ],
    )
    raised = timezone.localtime(grade_2.entries.filter(kind="oxygen").order_by("at")[1].at)
    sentence = f"needs a new look: now 3 from {raised.day} {raised:%b %H:%M}, you signed 2"
    html = words(page(intensivist_client, grade_2))
    assert sentence in html
    waiting = words(intensivist_client.get(reverse("patients:reviews")).content.decode())
    assert sentence in waiting

    signed(intensivist_client, grade_2)
    second = GradeReview.objects.exclude(pk=first.pk).get()
    assert (second.computed_grade, second.start) == (3, raised)
    assert second.end == grade_2.entries.filter(kind="oxygen").order_by("at")[2].at
    html = words(page(intensivist_client, grade_2))
    assert "needs a new look: now" not in html
    assert html.count("grade 2, signed by you") == 2
    assert html.count("grade 3, signed by you") == 1


def test_where_the_grade_fell_it_says_so_in_place_of_a_tick(
    intensivist_client: Client, intensivist: User, clinician: User, grade_3: Course
) -> None:
    signed(intensivist_client, grade_3)
    oxygen = grade_3.entries.get(kind="oxygen")
    correct(oxygen, oxygen.at, {"device": "venturi_mask", "fio2_percent": "30"}, sending(clinician))
    html = words(page(intensivist_client, grade_3, oxygen.at))
    assert "signed 3, computed now 2 · you" in html
    assert "signed by you" not in html
    waiting = words(intensivist_client.get(reverse("patients:reviews")).content.decode())
    assert "computed now" not in waiting


def test_a_rise_by_the_clock_asks_for_a_new_look_from_its_minute(
    intensivist_client: Client, clinician: User, course: Course, time_machine: Any
) -> None:
    begun = ago(hours=2, minutes=50)
    chart(course, clinician, "vasopressor", begun, drug="norepinephrine", rate="22", unit="ug/min")
    signed(intensivist_client, course)
    reviews = reverse("patients:reviews")
    assert "Nothing waits for you." in intensivist_client.get(reviews).content.decode()
    time_machine.move_to(begun + timedelta(hours=2, minutes=59))
    assert "Nothing waits for you." in intensivist_client.get(reviews).content.decode()
    time_machine.move_to(begun + timedelta(hours=3, minutes=1))
    rose = timezone.localtime(begun + timedelta(hours=3))
    html = words(intensivist_client.get(reviews).content.decode())
    assert f"needs a new look: now 3 from {rose.day} {rose:%b %H:%M}, you signed 2" in html


def test_an_entry_retracted_before_the_period_leaves_a_period_without_grade(
    intensivist_client: Client, clinician: User, course: Course
) -> None:
    """A death of another cause, charted late, ends grading: the signed time has no grade now."""
    chart(course, clinician, "vitals", ago(60), temperature_c="39")
    signed(intensivist_client, course)
    death = record(
        course,
        clinician,
        [NewEntry("death", ago(30), {"attribution": "other"})],
        answers={"attribution_reason": "Sepsis"},
    ).entries[0]
    html = words(page(intensivist_client, course, ago(45)))
    assert "signed 1, not graded now · you" in html
    retract_entry(death, sending(clinician, answers={"reason": "another patient"}))
    assert "grade 1, signed by you" in words(page(intensivist_client, course, ago(45)))


def test_a_signed_period_can_be_signed_again(intensivist_client: Client, grade_2: Course) -> None:
    signed(intensivist_client, grade_2)
    start = GradeReview.objects.get().start
    assert opened(intensivist_client, grade_2, start) == {}
    form = opened(intensivist_client, grade_2, start, again="")
    assert send(intensivist_client, grade_2, form, **another(1, "less_sick")).status_code == 302
    html = words(page(intensivist_client, grade_2, start))
    assert "you stated 1, computed then 2" in html
    assert "grade 2, signed" not in html


def test_an_ended_course_is_signed_to_its_end_and_waits_for_nobody(
    intensivist_client: Client, clinician: User, grade_2: Course
) -> None:
    end(grade_2, clinician)
    reviews = intensivist_client.get(reverse("patients:reviews")).content.decode()
    assert "Nothing waits for you." in reviews
    assert "Course ended" in page(intensivist_client, grade_2)
    signed(intensivist_client, grade_2)
    grade_2.refresh_from_db()
    assert GradeReview.objects.get().end == grade_2.ended_at


def test_before_the_first_grade_there_is_nothing_to_sign(
    intensivist_client: Client, clinician: User
) -> None:
    course = admit(clinician, infused_at=timezone.now() + timedelta(minutes=4), weight_kg=None)
    assert "no grade is computed yet" in page(intensivist_client, course)


@pytest.mark.parametrize("at", ["yesterday", "2026-11-28T10:00", "2999-01-01T00:00:00Z"])
def test_a_bad_time_in_the_address_is_refused(
    nurse_client: Client, grade_2: Course, at: str
) -> None:
    answer = nurse_client.get(reverse("patients:sign_off", args=[grade_2.pk]), {"at": at})
    assert answer.status_code == 400


def test_htmx_gets_the_panel_alone(intensivist_client: Client, grade_2: Course) -> None:
    address = reverse("patients:sign_off", args=[grade_2.pk])
    panel = intensivist_client.get(address, **HTMX)
    assert panel.content.decode().lstrip().startswith('<section id="sign-off"')


def test_a_form_of_another_page_leads_back_to_it(
    intensivist_client: Client, grade_2: Course
) -> None:
    there = reverse("patients:bedside", args=[grade_2.pk])
    form = opened(intensivist_client, grade_2)
    assert send(intensivist_client, grade_2, form, next=there)["Location"] == there
    form = opened(intensivist_client, grade_2)
    answer = send(intensivist_client, grade_2, form, next="https://elsewhere.test/")
    assert answer["Location"].startswith("/courses/")


def test_a_sign_off_is_a_row_of_the_timeline(
    intensivist_client: Client, nurse_client: Client, grade_2: Course
) -> None:
    signed(intensivist_client, grade_2, **another(3, words="mottled skin"))
    html = words(nurse_client.get(reverse("patients:bedside", args=[grade_2.pk])).content.decode())
    assert "Review: stated 3, computed then 2" in html
    assert "Sicker than the rules show: mottled skin" in html
    address = reverse("patients:timeline", args=[grade_2.pk])
    only = words(nurse_client.get(address, {"kind": "review"}, **HTMX).content.decode())
    assert "Review: stated 3" in only
    assert "Temp 38.6" not in only


def test_an_entry_charted_for_before_a_sign_off_is_placed_below_it(
    intensivist_client: Client, nurse_client: Client, grade_2: Course
) -> None:
    """The answer to a save names the row that the new one stands above."""
    signed(intensivist_client, grade_2)
    earlier = timezone.localtime(ago(5))
    saved = send_entry(
        nurse_client, grade_2, "vitals", heart_rate="90",
        observed_date=f"{earlier:%Y-%m-%d}", observed_time=f"{earlier:%H:%M}",
    )  # fmt: skip
    html = saved.content.decode()
    assert "message-saved" in html
    assert "afterbegin:#timeline-rows" not in html
    assert "beforebegin:#grade-" in html

"""Whether development is delayed: asked at admission, corrected later, with both answers kept."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from grading.systems import HEADLINE
from patients.models import Course, IdentityCorrection, Patient
from patients.queries.courses import read_course
from patients.queries.entries import course_facts
from patients.queries.grades import periods_known_now
from patients.queries.known_at import read_known_at
from patients.recording.identity import answer_delay
from tests.entry_forms import url, words_of
from tests.factories import admit, sending
from tests.patients.identity.test_correction import confirm, corrected, preview, sent
from tests.patients.identity.test_join import join, previewed
from tests.patients.ward.test_admission import admission

pytestmark = pytest.mark.django_db


def delay_of(course: Course) -> bool | None:
    return course_facts(read_course(course.pk)).developmental_delay


@pytest.mark.parametrize(
    ("typed", "stored"), [(None, None), ("", None), ("yes", True), ("no", False)]
)
def test_an_admission_may_answer(
    nurse_client: Client, typed: str | None, stored: bool | None
) -> None:
    typed_in = {} if typed is None else {"developmental_delay": typed}
    answer = nurse_client.post(reverse("patients:admit"), admission(**typed_in))
    assert answer.status_code == 302
    assert Patient.objects.get().developmental_delay is stored
    assert delay_of(Course.objects.get()) is stored
    assert not IdentityCorrection.objects.exists()


def test_another_answer_than_those_offered_is_refused(nurse_client: Client) -> None:
    answer = nurse_client.post(reverse("patients:admit"), admission(developmental_delay="maybe"))
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"developmental_delay"}
    assert not Course.objects.exists()


def test_a_second_admission_gives_the_first_answer_and_the_history_says_so(
    nurse_client: Client, nurse: User
) -> None:
    first = admission()
    nurse_client.post(reverse("patients:admit"), first)
    again = admission(product="b", developmental_delay="yes")
    for _ in range(2):
        assert nurse_client.post(reverse("patients:admit"), again).status_code == 302
    course = Course.objects.get(product="b")
    assert {delay_of(one) for one in Course.objects.all()} == {True}
    assert IdentityCorrection.objects.get().recorded_by == nurse
    history = words_of(nurse_client.get(url("identity", course)))
    assert "Developmental delay yes J. Ruiz: Answered at admission" in history


def test_a_second_admission_with_another_answer_is_refused_at_the_field(
    nurse_client: Client,
) -> None:
    nurse_client.post(reverse("patients:admit"), admission(developmental_delay="no"))
    again = admission(product="b", developmental_delay="yes")
    answer = nurse_client.post(reverse("patients:admit"), again)
    assert answer.status_code == 422
    [sentence] = answer.context["form"].errors["developmental_delay"]
    assert "has “no”" in sentence
    assert "correct the identity of OKONKWO, Ada" in words_of(answer)
    assert Course.objects.count() == 1
    without = nurse_client.post(reverse("patients:admit"), admission(product="b"))
    assert without.status_code == 302
    assert Patient.objects.get().developmental_delay is False


@pytest.mark.parametrize(
    ("before", "typed", "after"),
    [(None, "yes", True), (True, "no", False), (False, "not_known", None)],
)
def test_a_correction_keeps_the_old_answer_and_changes_no_grade(
    nurse_client: Client, clinician: User, before: bool | None, typed: str, after: bool | None
) -> None:
    course = admit(clinician, developmental_delay=before)
    known_before = timezone.now()
    data = sent("delay", developmental_delay=typed)
    shown = words_of(preview(nurse_client, course, data))
    words = {None: "not known", True: "yes", False: "no"}
    assert f"{words[before]} {words[after]}" in shown.replace(" →", "").replace("→ ", "")
    grades = [one.grade for one in periods_known_now(course, HEADLINE)]
    corrected(nurse_client, course, data)
    assert delay_of(course) is after
    row = IdentityCorrection.objects.get()
    assert (row.fact, row.reason) == ("delay", "passport")
    assert row.before == {"developmental_delay": before}
    assert [one.grade for one in periods_known_now(course, HEADLINE)] == grades
    then = read_known_at(read_course(course.pk), HEADLINE, known_before, is_now=False)
    assert then.facts.developmental_delay is before
    timeline = words_of(nurse_client.get(url("timeline", course), {"kind": "identity"}))
    assert f"Developmental delay corrected: {words[before]} → {words[after]}" in timeline
    query = {"known_at": known_before.isoformat(), "different": "1"}
    assert "Developmental delay" in words_of(nurse_client.get(url("review", course), query))


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [("", "Choose the answer."), ("yes", "This is what stands on the chart already.")],
)
def test_a_correction_that_says_nothing_new_is_refused(
    nurse_client: Client, clinician: User, typed: str, sentence: str
) -> None:
    course = admit(clinician, developmental_delay=True)
    answer = nurse_client.post(
        url("identity", course), sent("delay", developmental_delay=typed) | {"step": "preview"}
    )
    assert answer.status_code == 422
    assert answer.context["form"].errors["developmental_delay"] == [sentence]


def test_the_wristband_is_compared_for_this_answer_too(
    nurse_client: Client, clinician: User
) -> None:
    course = admit(clinician)
    answer = confirm(nurse_client, course, sent("delay", developmental_delay="yes"), compared="")
    assert answer.status_code == 422
    assert not IdentityCorrection.objects.exists()


def test_a_join_never_loses_an_answer(
    administrator_client: Client, course: Course, clinician: User
) -> None:
    other = admit(clinician, product="another", developmental_delay=True)
    refused = previewed(administrator_client, course, other)
    text = words_of(refused)
    assert "has an answer about developmental delay" in text
    assert "developmental delay yes" in text
    patient = Patient.objects.select_for_update().get(pk=course.patient_id)
    answer_delay(patient, answer=True, submission=sending(clinician))
    assert join(administrator_client, course, other).status_code == 302
    assert {delay_of(one) for one in (course, other)} == {True}

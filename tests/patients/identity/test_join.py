"""Two records of one person become one by an administrator, and can be parted again."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from grading.systems import HEADLINE
from patients.identity import join_views
from patients.models import Course, Fact, PatientJoin
from patients.queries.grades import periods_known_now
from patients.queries.identity import courses_of_patient
from patients.recording import join as join_module
from patients.recording.identity import IdentityChange, correct_identity, identity_token
from patients.recording.verify import differences
from tests.entry_forms import text_of, url
from tests.factories import ADULT_BORN, admit, ago, chart, sending
from tests.patients.ward.test_admission import admission
from tests.record.conftest import recorded


@pytest.fixture
def wrong(clinician: User) -> Course:
    """The second record of the person: a wrong birth date, and a pressure low for an adult."""
    course = admit(
        clinician, mrn="00123", product="another", birth_date=date(2017, 5, 5), name="OKONKWO, A."
    )
    chart(course, clinician, "vitals", ago(hours=3), systolic_mmhg="92", diastolic_mmhg="50")
    return course


def grade_now(course: Course) -> int:
    period = periods_known_now(course, HEADLINE).filter(valid__contains=timezone.now()).get()
    return period.grade


def agree(*courses: Course) -> None:
    for course in Course.objects.select_related("patient", "policy").filter(
        pk__in=[one.pk for one in courses]
    ):
        assert differences(course) == []


def previewed(client: Client, course: Course, other: Course, **fields: Any) -> Any:
    data = {"form_id": str(uuid.uuid4()), "with": str(other.patient_id), "reason": "one person"}
    return client.post(url("join", course), data | {"step": "preview"} | fields)


def join(client: Client, course: Course, other: Course, **fields: Any) -> Any:
    shown = previewed(client, course, other)
    data = {
        "form_id": str(uuid.uuid4()),
        "with": str(other.patient_id),
        "reason": "one person",
        "seen": shown.context["seen"],
        "step": "confirm",
        "compared": "yes",
    }
    return client.post(url("join", course), data | fields)


def undo(client: Client, course: Course, **fields: Any) -> Any:
    address = url("undo_join", course, PatientJoin.objects.latest("pk").pk)
    shown = client.get(address)
    data = {
        "form_id": str(uuid.uuid4()),
        "reason": "two persons",
        "seen": shown.context["seen"],
        "compared": "yes",
    }
    return client.post(address, data | fields)


def test_who_is_shown_beside_a_patient_stands_in_the_record_of_both(
    course: Course, wrong: Course, administrator_client: Client
) -> None:
    asked = {"with": str(wrong.patient_id)}
    assert administrator_client.get(url("join", course), asked).status_code == 200
    assert previewed(administrator_client, course, wrong).status_code == 200
    for one, views in ((course, 1), (wrong, 2)):
        pages = [event.details["page"] for event in recorded(one) if event.kind == "view"]
        assert pages == ["two records of one person"] * views


def test_the_kept_record_gives_the_identity_and_undoing_gives_it_back(
    course: Course, wrong: Course, administrator_client: Client, nurse_client: Client
) -> None:
    was = wrong.patient_id
    text = text_of(previewed(administrator_client, course, wrong).content.decode())
    assert "Not saved yet" in text
    assert "Age at infusion 9 → 56 years" in text
    assert grade_now(wrong) == 0
    assert join(administrator_client, course, wrong).status_code == 302
    wrong.refresh_from_db()
    assert (wrong.patient_id, grade_now(wrong)) == (course.patient_id, 2)
    agree(course, wrong)
    history = text_of(nurse_client.get(url("identity", course)).content.decode())
    assert "Records joined" in history
    assert "L. Berg: one person" in history

    assert undo(administrator_client, course).status_code == 302
    wrong.refresh_from_db()
    assert (wrong.patient_id, grade_now(wrong)) == (was, 0)
    agree(course, wrong)
    assert PatientJoin.objects.count() == 2
    assert "undone already" in text_of(
        administrator_client.get(
            url("undo_join", course, PatientJoin.objects.earliest("pk").pk)
        ).content.decode()
    )


def test_the_second_of_two_who_join_from_the_other_record_learns_that_it_is_done(
    course: Course, wrong: Course, administrator_client: Client
) -> None:
    keep = {"keep": str(course.patient_id)}
    shown = previewed(administrator_client, wrong, course, **keep)
    join(administrator_client, course, wrong)
    data = {"form_id": str(uuid.uuid4()), "with": str(course.patient_id), "reason": "one person"}
    data |= keep | {"seen": shown.context["seen"], "step": "confirm", "compared": "yes"}
    answer = administrator_client.post(url("join", wrong), data, follow=True)
    assert "These two records are joined already." in text_of(answer.content.decode())
    assert PatientJoin.objects.count() == 1


@pytest.mark.parametrize("undoes", [False, True])
def test_a_page_made_while_a_name_is_corrected_shows_what_is_joined_or_parted(
    course: Course, wrong: Course, nurse: User, administrator_client: Client,
    monkeypatch: pytest.MonkeyPatch, undoes: bool,
) -> None:  # fmt: skip
    """The bar of the page has the name of before: what it shows cannot be confirmed."""
    if undoes:
        join(administrator_client, course, wrong)

    def read_later(*patient_ids: uuid.UUID) -> list[Course]:
        monkeypatch.undo()
        token = identity_token(list(courses_of_patient(course.patient_id)))
        named = IdentityChange(Fact.NAME, "wristband", token, of_patient={"name": "KOVAC, Mia"})
        correct_identity(course.patient_id, named, sending(nurse))
        return join_module.courses_of_both(*patient_ids)

    monkeypatch.setattr(join_views, "courses_of_both", read_later)
    act = undo if undoes else partial(join, other=wrong)
    refused = act(administrator_client, course)
    assert refused.status_code == 409
    assert "Look again at what changes" in text_of(refused.content.decode())
    assert refused.context["kept"].patient.name == "KOVAC, Mia"
    assert act(administrator_client, course).status_code == 302


def test_an_age_corrected_while_joined_does_not_stay_after_undoing(
    course: Course, clinician: User, administrator_client: Client, nurse_client: Client
) -> None:
    """A course that was admitted with an age gets that age back."""
    other = admit(clinician, product="another", birth_date=None, age_years="8")
    join(administrator_client, course, other)
    data = {
        "form_id": str(uuid.uuid4()), "what": "birth", "reason": "no papers",
        "age_years": "56", "age_years_1": "55",
    }  # fmt: skip
    shown = nurse_client.post(url("identity", course), data | {"step": "preview"})
    sent = {"step": "confirm", "compared": "yes", "seen": shown.context["seen"]}
    assert nurse_client.post(url("identity", course), data | sent).status_code == 302
    other.refresh_from_db()
    assert other.age_years == 55
    undo(administrator_client, course)
    other.refresh_from_db()
    assert other.age_years == 8
    agree(course, other)


def test_the_old_number_leads_to_the_kept_record(
    course: Course, wrong: Course, administrator_client: Client, nurse_client: Client
) -> None:
    join(administrator_client, course, wrong)
    found = nurse_client.get(url("join", wrong), {"q": "00123"})
    assert "No other patient" in text_of(found.content.decode())
    elsewhere = admit(User.objects.first(), product="third", mrn="X-9")  # type: ignore[arg-type]
    entry = chart(elsewhere, User.objects.first(), "note", note="n").entries[0]  # type: ignore[arg-type]
    searched = nurse_client.get(url("move_entry", elsewhere, entry.pk), {"q": "00123"})
    assert {one.pk for one in searched.context["found"]} == {course.pk, wrong.pk}

    board = nurse_client.get(reverse("patients:board"), {"q": "00123"})
    assert "OKONKWO, Ada" in text_of(board.content.decode())

    sent = admission(mrn="00123", name="OKONKWO, Ada", product="fourth")
    asked = nurse_client.post(reverse("patients:admit"), sent)
    assert asked.status_code == 422
    assert "was joined to OKONKWO, Ada" in text_of(asked.content.decode())
    digest = asked.context["form"].questions_digest
    admitted = nurse_client.post(reverse("patients:admit"), sent | {"confirmed": digest})
    assert admitted.status_code == 302
    assert Course.objects.get(product="fourth").patient_id == course.patient_id


def test_what_cannot_be_joined_is_refused_with_the_reason(
    course: Course, clinician: User, administrator_client: Client
) -> None:
    same = admit(clinician, infused_at=course.infused_at, product=course.product.upper())
    page = administrator_client.get(url("join", course), {"with": same.patient_id})
    assert "same infusion time" in text_of(page.content.decode())
    assert join(administrator_client, course, same).status_code == 422

    aged = admit(clinician, product="another", birth_date=None, age_years="8")
    page = administrator_client.get(
        url("join", course), {"with": aged.patient_id, "keep": aged.patient_id}
    )
    assert "has no birth date" in text_of(page.content.decode())
    itself = administrator_client.get(url("join", course), {"with": course.patient_id})
    assert itself.context["found"] == []
    assert not PatientJoin.objects.exists()


def test_a_join_that_was_itself_joined_is_undone_last(
    course: Course, wrong: Course, clinician: User, administrator_client: Client
) -> None:
    third = admit(clinician, product="third", infused_at=ago(hours=24 * 5))
    join(administrator_client, course, wrong)
    first = PatientJoin.objects.latest("pk")
    join(administrator_client, third, course, keep=str(third.patient_id))
    page = administrator_client.get(url("undo_join", third, first.pk))
    assert page.status_code == 404 or "Undo that first" in text_of(page.content.decode())
    assert undo(administrator_client, third).status_code == 302
    course.refresh_from_db()
    wrong.refresh_from_db()
    assert course.patient_id == wrong.patient_id == first.kept_id
    agree(course, wrong, third)


def test_stale_untick_and_twice(
    course: Course, wrong: Course, clinician: User, administrator_client: Client
) -> None:
    assert join(administrator_client, course, wrong, compared="").status_code == 422
    assert join(administrator_client, course, wrong, seen="old").status_code == 409
    form_id = str(uuid.uuid4())
    assert join(administrator_client, course, wrong, form_id=form_id).status_code == 302
    data = {"form_id": form_id, "with": str(wrong.patient_id), "reason": "one person"}
    again = administrator_client.post(
        url("join", course),
        data | {"with": str(PatientJoin.objects.get().joined_id), "step": "confirm"},
    )
    assert again.status_code == 302
    other_reason = join(administrator_client, course, wrong, form_id=form_id, reason="another")
    assert other_reason.status_code == 409
    assert "was sent before, with other contents" in text_of(other_reason.content.decode())
    assert [one.reason for one in PatientJoin.objects.all()] == ["one person"]
    assert undo(administrator_client, course, compared="").status_code == 422
    assert undo(administrator_client, course, seen="old").status_code == 409


def test_an_undoing_sent_again_with_another_reason_is_refused(
    course: Course, wrong: Course, clinician: User, administrator_client: Client
) -> None:
    join(administrator_client, course, wrong)
    joining = PatientJoin.objects.get()
    used = chart(course, clinician, "note", note="n").act.form_id
    assert undo(administrator_client, course, form_id=str(used)).status_code == 409
    form_id = str(uuid.uuid4())
    assert undo(administrator_client, course, form_id=form_id).status_code == 302
    data = {"form_id": form_id, "reason": "two persons", "compared": "yes", "seen": ""}
    address = url("undo_join", course, joining.pk)
    assert administrator_client.post(address, data).status_code == 302
    again = administrator_client.post(address, data | {"reason": "another"})
    assert again.status_code == 409
    assert [one.reason for one in PatientJoin.objects.exclude(undoes=None)] == ["two persons"]


def test_the_other_record_can_be_the_one_that_is_kept(
    course: Course, wrong: Course, administrator_client: Client
) -> None:
    answer = join(administrator_client, course, wrong, keep=str(wrong.patient_id))
    assert answer.status_code == 302
    course.refresh_from_db()
    assert course.patient_id == wrong.patient_id
    assert course.patient.birth_date != ADULT_BORN
    agree(course, wrong)


def test_a_clinician_sees_both_records_and_is_told_who_joins(
    course: Course, wrong: Course, nurse_client: Client
) -> None:
    page = nurse_client.get(url("join", course), {"with": wrong.patient_id})
    text = text_of(page.content.decode())
    assert "Only an administrator joins two records" in text
    assert "00123" in text
    assert previewed(nurse_client, course, wrong).status_code == 403
    assert timezone.now() - course.admitted_at < timedelta(days=1)

"""Admission of someone whom the chart may have already, under this number or another."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crs_app.record.models import Event, EventKind
from patients.models import CONFIRMED, Course, Patient
from tests.entry_forms import text_of, url
from tests.factories import end
from tests.patients.ward.test_admission import admission


def send(client: Client, **fields: Any) -> Any:
    return client.post(reverse("patients:admit"), admission(**fields))


def asked(answer: Any) -> list[str]:
    assert answer.status_code == 422
    return [question.sentence for question in answer.context["form"].questions]


@pytest.fixture
def first(nurse_client: Client) -> Course:
    assert send(nurse_client, mrn="00123", name="O'HARA, Éva").status_code == 302
    return Course.objects.get()


@pytest.mark.parametrize("typed", ["123", "0123", "00-123", "O0123"])
def test_a_number_that_looks_alike_is_asked_about(
    first: Course, nurse_client: Client, typed: str
) -> None:
    sent = admission(mrn=typed, name="SOMEONE, Else", birth_date="1950-01-01", product="b")
    answer = nurse_client.post(reverse("patients:admit"), sent)
    (sentence,) = asked(answer)
    assert "looks like that of O'HARA, Éva" in sentence
    assert "00123" in sentence
    assert Patient.objects.count() == 1
    sent["confirmed"] = answer.context["form"].questions_digest
    for _ in range(2):
        assert nurse_client.post(reverse("patients:admit"), sent).status_code == 302
    assert Patient.objects.count() == 2
    act = Course.objects.get(product="b").acts.get()
    assert sentence in [text for _, text in act.answers[CONFIRMED]]


@pytest.mark.parametrize(
    "typed",
    [
        {"mrn": "O0123", "name": "SOMEONE, Else", "birth_date": "1950-01-01"},
        {"mrn": "00 123", "name": "O'HARA, Éva"},
        {"mrn": "777", "name": "O'HARA, Éva"},
        {"mrn": "00123", "name": "SOMEONE, Else"},
        {"mrn": "00123", "name": "O'HARA, Éva", "product": "CD19 CAR-T"},
    ],
)
def test_whom_an_answer_names_stands_in_the_record_of_that_patient(
    first: Course, nurse_client: Client, typed: dict[str, str]
) -> None:
    """Else the numbers of a whole hospital could be tried for names that nobody opened."""
    assert send(nurse_client, **({"product": "b"} | typed)).status_code == 422
    (event,) = Event.objects.filter(course_id=first.pk, kind=EventKind.SEARCH)
    assert event.by_name == "J. Ruiz"
    searched = f"{typed['mrn']}, {typed['name']}"
    assert event.details == {"page": "admission form", "q": searched}


def test_the_same_name_and_birth_date_is_asked_about(first: Course, nurse_client: Client) -> None:
    (sentence,) = asked(send(nurse_client, mrn="777", name="O\u2019Hara, E\u0301va", product="b"))
    assert "has the same name and birth date" in sentence
    for name in ("EVA O'HARA", "Ohara, Eva"):
        (sentence,) = asked(send(nurse_client, mrn="777", name=name, product="b"))
        assert "has the same birth date, and the same name in another spelling" in sentence
    assert send(nurse_client, mrn="778", name="O'HARA, Ava", product="b").status_code == 302


def test_a_number_that_was_stored_with_its_accent_looks_like_one_without(
    nurse_client: Client,
) -> None:
    """Rows of before have the accent in what they look like."""
    accented = Patient(mrn="ÍN 1", name="OLD, Row", sex="female", mrn_key="ín 1", mrn_look="ín1")
    Patient.objects.bulk_create([accented])
    (sentence,) = asked(send(nurse_client, mrn="IN 1", name="SOMEONE, Else", product="b"))
    assert "looks like that of OLD, Row" in sentence


def test_an_age_alone_is_asked_about_by_the_name(first: Course, nurse_client: Client) -> None:
    answer = send(
        nurse_client, mrn="777", name="o'hara, éva", birth_date="", age_years="56", product="b"
    )
    assert "has the same name" in asked(answer)[0]


def test_another_birth_date_is_not_asked_about(first: Course, nurse_client: Client) -> None:
    other = send(nurse_client, mrn="777", name="O'HARA, Éva", birth_date="1971-03-01", product="b")
    assert other.status_code == 302


@pytest.mark.parametrize("name", ["O\u2019HARA, Éva", "O'HARA,  E\u0301va", "o'hara, éva"])
def test_one_name_in_another_writing_is_the_same_person(
    first: Course, nurse_client: Client, name: str
) -> None:
    assert send(nurse_client, mrn="00123", name=name, product="b").status_code == 302
    assert Patient.objects.count() == 1


@pytest.mark.parametrize("typed", ["ZW\u200b1", "ZW\u20601", "Z\u00adW1", "ZW\u202e1"])
def test_a_character_that_nobody_sees_is_refused(nurse_client: Client, typed: str) -> None:
    answer = send(nurse_client, mrn=typed)
    assert answer.status_code == 422
    assert "nobody can see" in str(answer.context["form"].errors["mrn"])
    assert not Patient.objects.exists()


@pytest.mark.parametrize("typed", ["\uff11\uff12\uff13", " 123 ", "1\uff123"])
def test_a_number_is_stored_as_plain_characters(nurse_client: Client, typed: str) -> None:
    assert send(nurse_client, mrn=typed).status_code == 302
    assert Patient.objects.get().mrn == "123"


def test_a_name_is_stored_without_what_nobody_sees(nurse_client: Client) -> None:
    """Else another system that sends the name as it is read would be refused."""
    typed = {"MRN 1": "\u200bO'HARA, \ufeffÉ\u00adva\u2060", "MRN 2": "ربی\u200cنی, ایدا\u200c"}
    for mrn, name in typed.items():
        assert send(nurse_client, mrn=mrn, name=name).status_code == 302
    stored = list(Patient.objects.order_by("mrn").values_list("name", flat=True))
    assert stored == ["O'HARA, Éva", "ربی\u200cنی, ایدا"]


@pytest.mark.parametrize("typed", ["in 1", "IN  1", "IN\u00a01"])
def test_one_number_written_otherwise_is_one_patient(nurse_client: Client, typed: str) -> None:
    assert send(nurse_client, mrn="IN 1").status_code == 302
    sent = admission(mrn=typed, product="b")
    answer = nurse_client.post(reverse("patients:admit"), sent)
    if answer.status_code == 422:
        assert "is on the chart as" in asked(answer)[0]
        sent["confirmed"] = answer.context["form"].questions_digest
        answer = nurse_client.post(reverse("patients:admit"), sent)
    assert answer.status_code == 302
    assert Patient.objects.count() == 1


def test_another_identity_under_the_number_has_a_way_out(
    first: Course, nurse_client: Client
) -> None:
    answer = send(nurse_client, mrn="00123", name="O'HARA, Éva", birth_date="1971-03-01")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert url("identity", first) in page
    assert url("join", first) in page
    again = send(nurse_client, mrn="00123", name="O'HARA, Éva")
    assert url("bedside", first) in again.content.decode()
    assert "Open that course" in text_of(again.content.decode())


def test_after_the_correction_the_right_identity_is_admitted_under_the_number(
    first: Course, nurse_client: Client
) -> None:
    """The course that was opened with a wrong birth date has ended; the number stays usable."""
    end(first, first.admitted_by)
    right = {"mrn": "00123", "name": "O'HARA, Éva", "birth_date": "1971-05-05", "product": "b"}
    assert send(nurse_client, **right).status_code == 422
    data = {
        "what": "birth", "day": "5", "month": "5", "year": "1971", "reason": "passport",
        "form_id": admission()["form_id"],
    }  # fmt: skip
    shown = nurse_client.post(url("identity", first), data | {"step": "preview"})
    data |= {"step": "confirm", "compared": "yes", "seen": shown.context["seen"]}
    assert nurse_client.post(url("identity", first), data).status_code == 302
    assert send(nurse_client, **right).status_code == 302
    assert Patient.objects.get().courses.count() == 2


def test_a_number_that_was_corrected_is_asked_about(first: Course, nurse_client: Client) -> None:
    data = {"what": "mrn", "mrn": "55501", "reason": "wristband", "form_id": admission()["form_id"]}
    shown = nurse_client.post(url("identity", first), data | {"step": "preview"})
    data |= {"step": "confirm", "compared": "yes", "seen": shown.context["seen"]}
    assert nurse_client.post(url("identity", first), data).status_code == 302
    answer = send(nurse_client, mrn="00123", name="SOMEONE, Else", product="b")
    assert "had MRN 00123 before" in asked(answer)[0]


def test_a_course_whose_infusion_was_corrected_is_not_opened_again(
    first: Course, nurse_client: Client
) -> None:
    data = {"what": "product", "product": "right", "reason": "r", "form_id": admission()["form_id"]}
    shown = nurse_client.post(url("identity", first), data | {"step": "preview"})
    data |= {"step": "confirm", "compared": "yes", "seen": shown.context["seen"]}
    assert nurse_client.post(url("identity", first), data).status_code == 302
    answer = send(nurse_client, mrn="00123", name="O'HARA, Éva")
    assert answer.status_code == 422
    assert "was corrected since" in str(answer.context["form"].errors["product"])

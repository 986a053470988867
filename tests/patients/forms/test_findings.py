"""Forms of symptoms, toxicities, judgements and risk."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from crs_app.accounts.models import User
from grading.engine.ctcae import CTCAE_WORDS
from grading.engine.symptom_list import TABLE_1
from patients.models import Course, Entry
from tests.entry_forms import form_html, send, send_correction, text_of
from tests.factories import chart

TICKS = [term for system in TABLE_1 for term in system.symptoms]


def test_one_save_charts_each_symptom_that_was_ticked(nurse_client: Client, course: Course) -> None:
    answer = send(
        nurse_client, course, "symptom", symptom_rigors="yes", symptom_fatigue="no", symptom_rash=""
    )
    assert answer.status_code == 200
    entries = Entry.objects.filter(course=course, kind="symptom")
    fields = {entry.body["term"]: entry.body["present"] for entry in entries}
    assert fields == {"rigors": True, "fatigue": False}
    assert len({entry.act_id for entry in entries}) == 1
    assert 'data-grade="1"' in answer.content.decode()


def test_every_sign_of_table_1_can_be_ticked(nurse_client: Client, course: Course) -> None:
    ticked = {f"symptom_{term}": "yes" for term in TICKS}
    assert send(nurse_client, course, "symptom", **ticked).status_code == 200
    charted = Entry.objects.filter(course=course, kind="symptom")
    assert {entry.body["term"] for entry in charted} == set(TICKS)


def test_nothing_ticked_is_refused(nurse_client: Client, course: Course) -> None:
    answer = send(nurse_client, course, "symptom")
    assert answer.status_code == 422
    assert "Nothing is charted yet" in answer.content.decode()
    assert not Entry.objects.filter(kind="symptom").exists()


def test_a_tick_that_asks_for_a_grade_says_so(nurse_client: Client, course: Course) -> None:
    """A tick is not a grade: the rash could be grade 4 until someone grades it."""
    answer = send(nurse_client, course, "symptom", symptom_rash="yes", symptom_nausea="yes")
    assert "enter a CTCAE grade for rash under Toxicity" in answer.content.decode()
    assert 'data-at-most="4"' in answer.content.decode()


def test_the_list_shows_what_was_last_charted_and_when(
    nurse_client: Client, nurse: User, course: Course
) -> None:
    at = timezone.now() - timedelta(hours=5)
    chart(course, nurse, "symptom", at, term="rigors", present=True)
    page = form_html(nurse_client, course, "symptom")
    previous = page.split('id="previous-symptom_rigors"')[1].split("</span>\n")[0]
    assert "present" in previous
    assert "5 h ago" in previous


def test_a_correction_is_of_one_symptom(nurse_client: Client, nurse: User, course: Course) -> None:
    send(nurse_client, course, "symptom", symptom_rigors="yes", symptom_malaise="yes")
    entry = Entry.objects.get(body__term="rigors")
    answer = send_correction(nurse_client, course, entry, present="no")
    assert answer.status_code == 200, answer.content.decode()
    corrected = Entry.objects.get(replaces=entry)
    assert corrected.body == {"term": "rigors", "present": False}
    assert not Entry.objects.filter(replaces__body__term="malaise").exists()


def test_the_list_shows_what_a_symptom_was_last_ascribed_to(
    nurse_client: Client, nurse: User, course: Course
) -> None:
    chart(course, nurse, "symptom", term="nausea", present=True, attribution="other")
    page = form_html(nurse_client, course, "symptom")
    previous = page.split('id="previous-symptom_nausea"')[1].split("</span>\n")[0]
    assert "present, another cause" in previous


@pytest.mark.parametrize(
    ("term", "grade", "has"),
    [("cardiac_arrest", "3", "only 4"), ("aptt", "4", "only 1, 2, 3"), ("lvef", "1", "2, 3, 4")],
)
def test_a_grade_that_ctcae_does_not_have_is_refused(
    nurse_client: Client, course: Course, term: str, grade: str, has: str
) -> None:
    answer = send(nurse_client, course, "toxicity", term=term, grade=grade)
    assert answer.status_code == 422
    [sentence] = answer.context["form"].errors["grade"]
    assert f"no grade {grade}" in sentence
    assert has in sentence
    assert not Entry.objects.filter(kind="toxicity").exists()


@pytest.mark.parametrize("term", ["cardiac_arrest", "aptt"])
def test_any_term_can_be_charted_as_resolved(
    nurse_client: Client, course: Course, term: str
) -> None:
    assert send(nurse_client, course, "toxicity", term=term, grade="0").status_code == 200


def test_the_form_shows_the_criteria_of_every_term(nurse_client: Client, course: Course) -> None:
    page = text_of(form_html(nurse_client, course, "toxicity"))
    for term_words in CTCAE_WORDS.values():
        for grade in term_words.grades:
            assert term_words.of(grade) in page
    assert "chart the result under Labs instead" in page


def test_a_refused_form_keeps_the_criteria_of_the_grades(
    nurse_client: Client, course: Course
) -> None:
    answer = send(nurse_client, course, "toxicity", term="seizure")
    cards = [meaning for _, meaning in answer.context["form"].grade_cards]
    assert cards[1:] == [CTCAE_WORDS["seizure"].of(grade) for grade in (1, 2, 3, 4)]


def test_a_judgement_is_charted_by_form_and_corrected(nurse_client: Client, course: Course) -> None:
    """Judged immediately life-threatening: grade 4, until it is corrected."""
    answer = send(nurse_client, course, "judgement", about="life_threatening", present="yes")
    assert 'data-grade="4"' in answer.content.decode()
    entry = Entry.objects.get(kind="judgement")
    assert entry.body == {"about": "life_threatening", "present": True}
    answer = send_correction(nurse_client, course, entry, present="no")
    assert answer.status_code == 200
    assert 'id="grade-card" class="panel grade-card" data-grade="0"' in answer.content.decode()


def test_risk_is_answered_question_by_question(nurse_client: Client, course: Course) -> None:
    send(nurse_client, course, "risk", older_age="yes", chronic_corticosteroids="no")
    entry = Entry.objects.get(kind="risk")
    assert entry.body == {"older_age": True, "chronic_corticosteroids": False}
    answer = send_correction(nurse_client, course, entry, older_age="no")
    assert answer.status_code == 200
    assert Entry.objects.get(replaces=entry).body == {
        "older_age": False,
        "chronic_corticosteroids": False,
    }

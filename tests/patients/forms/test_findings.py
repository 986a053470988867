"""Symptoms ticked, toxicities looked up, judgements, notes, what was not observed, a death."""

import re
import uuid
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from grading.engine.ctcae import CTCAE_WORDS
from grading.engine.symptom_list import TABLE_1
from patients.forms.registry import ENTRY_FORMS
from patients.models import Course, Entry
from tests.factories import chart

HTMX = {"headers": {"HX-Request": "true"}}
TICKS = [term for system in TABLE_1 for term in system.symptoms]


def send(client: Client, course: Course, kind: str, **said: Any) -> Any:
    form = {"form_id": str(uuid.uuid4()), "attribution": "crs", **said}
    return client.post(reverse("patients:entries", args=[course.pk, kind]), form, **HTMX)


def form_of(client: Client, course: Course, kind: str) -> str:
    page = client.get(reverse("patients:entries", args=[course.pk, kind]), **HTMX)
    return page.content.decode()


def correction(client: Client, course: Course, entry: Entry, **said: Any) -> Any:
    """The entry's own form as it is shown, sent with ``said`` in it."""
    address = reverse("patients:correct", args=[course.pk, entry.pk])
    form = client.get(address, **HTMX).context["form"]
    shown = {name: form[name].value() for name in form.fields}
    sent = {name: value for name, value in shown.items() if value not in (None, "")}
    return client.post(address, sent | {"reason": "misread"} | said, **HTMX)


def words(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


# Symptoms


def test_one_save_charts_each_symptom_that_was_said(nurse_client: Client, course: Course) -> None:
    answer = send(
        nurse_client, course, "symptom", symptom_rigors="yes", symptom_fatigue="no", symptom_rash=""
    )
    assert answer.status_code == 200
    entries = Entry.objects.filter(course=course, kind="symptom")
    said = {entry.body["term"]: entry.body["present"] for entry in entries}
    assert said == {"rigors": True, "fatigue": False}
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
    assert "give rash a CTCAE grade under Toxicity" in answer.content.decode()
    assert 'data-at-most="4"' in answer.content.decode()


def test_the_list_shows_what_was_last_said_and_when(
    nurse_client: Client, nurse: User, course: Course
) -> None:
    at = timezone.now() - timedelta(hours=5)
    chart(course, nurse, "symptom", at, term="rigors", present=True)
    page = form_of(nurse_client, course, "symptom")
    beside = page.split('id="previous-symptom_rigors"')[1].split("</span>\n")[0]
    assert "present" in beside
    assert "5 h ago" in beside


def test_a_correction_is_of_one_symptom(nurse_client: Client, nurse: User, course: Course) -> None:
    send(nurse_client, course, "symptom", symptom_rigors="yes", symptom_malaise="yes")
    entry = Entry.objects.get(body__term="rigors")
    answer = correction(nurse_client, course, entry, present="no")
    assert answer.status_code == 200, answer.content.decode()
    corrected = Entry.objects.get(replaces=entry)
    assert corrected.body == {"term": "rigors", "present": False}
    assert not Entry.objects.filter(replaces__body__term="malaise").exists()


def test_the_list_shows_what_a_symptom_was_last_ascribed_to(
    nurse_client: Client, nurse: User, course: Course
) -> None:
    chart(course, nurse, "symptom", term="nausea", present=True, attribution="other")
    page = form_of(nurse_client, course, "symptom")
    beside = page.split('id="previous-symptom_nausea"')[1].split("</span>\n")[0]
    assert "present, another cause" in beside


# Toxicity


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
def test_resolved_is_said_of_any_term(nurse_client: Client, course: Course, term: str) -> None:
    assert send(nurse_client, course, "toxicity", term=term, grade="0").status_code == 200


def test_the_form_shows_the_criteria_of_every_term(nurse_client: Client, course: Course) -> None:
    page = words(form_of(nurse_client, course, "toxicity"))
    for term_words in CTCAE_WORDS.values():
        for grade in term_words.grades:
            assert term_words.of(grade) in page
    assert "chart the result under Labs instead" in page


def test_a_refused_form_keeps_the_criteria_beside_the_grades(
    nurse_client: Client, course: Course
) -> None:
    answer = send(nurse_client, course, "toxicity", term="seizure")
    cards = [meaning for _, meaning in answer.context["form"].grade_cards]
    assert cards[1:] == [CTCAE_WORDS["seizure"].of(grade) for grade in (1, 2, 3, 4)]


# Judgements and risk


def test_a_judgement_is_charted_by_form_and_corrected(nurse_client: Client, course: Course) -> None:
    """Judged immediately life-threatening: grade 4, until it is corrected."""
    answer = send(nurse_client, course, "judgement", about="life_threatening", present="yes")
    assert 'data-grade="4"' in answer.content.decode()
    entry = Entry.objects.get(kind="judgement")
    assert entry.body == {"about": "life_threatening", "present": True}
    answer = correction(nurse_client, course, entry, present="no")
    assert answer.status_code == 200
    assert 'id="grade-card"\n         class="panel grade-card"\n         data-grade="0"' in (
        answer.content.decode()
    )


@pytest.mark.parametrize(
    ("kind", "said", "sentence"),
    [
        ("judgement", {"about": "life_threatening"}, "Say whether it is present"),
        ("judgement", {"present": "yes"}, "Choose what is judged"),
        ("risk", {}, "answer at least one question"),
        ("note", {"note": "  "}, "Nothing is written yet"),
        ("not_observed", {}, "Choose why"),
        ("not_observed", {"reason_not_observed": "other"}, "Say why here"),
        ("death", {"attribution": ""}, "Say whether the death was due to CRS"),
        ("death", {"attribution": "crs"}, "Say why it is, or is not"),
    ],
)
def test_what_is_not_said_is_asked_at_its_field(
    nurse_client: Client, course: Course, kind: str, said: dict[str, str], sentence: str
) -> None:
    answer = send(nurse_client, course, kind, **said)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Entry.objects.filter(kind=kind).exists()


def test_risk_is_answered_question_by_question(nurse_client: Client, course: Course) -> None:
    send(nurse_client, course, "risk", older_age="yes", chronic_corticosteroids="no")
    entry = Entry.objects.get(kind="risk")
    assert entry.body == {"older_age": True, "chronic_corticosteroids": False}
    answer = correction(nurse_client, course, entry, older_age="no")
    assert answer.status_code == 200
    assert Entry.objects.get(replaces=entry).body == {
        "older_age": False,
        "chronic_corticosteroids": False,
    }


# Notes, and what was not observed


def test_a_note_is_charted_shown_and_corrected(nurse_client: Client, course: Course) -> None:
    answer = send(nurse_client, course, "note", note="Family called\nat noon")
    assert answer.status_code == 200
    entry = Entry.objects.get(kind="note")
    assert entry.body == {"note": "Family called\nat noon"}
    answer = correction(nurse_client, course, entry, note="Family called at one")
    assert answer.status_code == 200
    text = words(answer.content.decode())
    assert text.count("Note: Family called at one") == 2  # the message and the row, not twice there
    assert Entry.objects.get(replaces=entry).body == {"note": "Family called at one"}


def tap(client: Client, course: Course, reason: str, **said: Any) -> Any:
    form = {"form_id": str(uuid.uuid4()), "reason_not_observed": reason, **said}
    return client.post(reverse("patients:not_observed", args=[course.pk]), form, **HTMX)


@pytest.mark.parametrize("reason", ["asleep", "refused", "off_ward"])
def test_one_tap_says_why_nothing_was_observed(
    nurse_client: Client, nurse: User, course: Course, reason: str
) -> None:
    """The observation before stays the last one, and as old as it is."""
    chart(course, nurse, "vitals", timezone.now() - timedelta(hours=5), temperature_c="39.1")
    answer = tap(nurse_client, course, reason)
    assert answer.status_code == 200
    entry = Entry.objects.get(kind="not_observed")
    assert entry.body == {"what": "vital_signs", "reason": reason}
    assert 'class="old"' in answer.content.decode()
    board = words(nurse_client.get(reverse("patients:board")).content.decode())
    assert "5 h ago" in board


def test_a_tap_sent_twice_is_charted_once(nurse_client: Client, course: Course) -> None:
    form_id = str(uuid.uuid4())
    for _ in range(2):
        assert tap(nurse_client, course, "asleep", form_id=form_id).status_code == 200
    assert tap(nurse_client, course, "refused", form_id=form_id).status_code == 409
    assert Entry.objects.filter(kind="not_observed").count() == 1


@pytest.mark.parametrize("reason", ["other", "busy", ""])
def test_a_tap_that_the_row_does_not_have_charts_nothing(
    nurse_client: Client, course: Course, reason: str
) -> None:
    assert tap(nurse_client, course, reason).status_code == 409
    assert not Entry.objects.filter(kind="not_observed").exists()


def test_a_reader_may_not_tap(auditor_client: Client, course: Course) -> None:
    assert tap(auditor_client, course, "asleep").status_code == 403


def test_another_reason_is_written_and_corrected(nurse_client: Client, course: Course) -> None:
    send(nurse_client, course, "not_observed", reason_not_observed="other", note="monitor away")
    entry = Entry.objects.get(kind="not_observed")
    answer = correction(nurse_client, course, entry, reason_not_observed="asleep", note="")
    assert answer.status_code == 200, answer.content.decode()
    corrected = Entry.objects.select_related("act").get(replaces=entry)
    assert corrected.body == {"what": "vital_signs", "reason": "asleep"}
    assert corrected.act.answers["reason"] == "misread"


# Death


@pytest.mark.parametrize(
    ("attribution", "meaning", "grade"),
    [
        ("crs", "grade 5 from", "5"),
        ("uncertain", "uncertain", "5"),
        ("other", "without a grade 5", "none"),
    ],
)
def test_a_death_is_recorded_when_it_was_read_back_and_confirmed(
    nurse_client: Client, course: Course, attribution: str, meaning: str, grade: str
) -> None:
    said = {"attribution": attribution, "attribution_reason": "Refractory shock"}
    asked = send(nurse_client, course, "death", **said)
    assert asked.status_code == 422
    assert not Entry.objects.filter(kind="death").exists()
    text = words(asked.content.decode())
    assert f"{course.patient.name}, MRN {course.patient.mrn}, died" in text
    assert meaning in text

    form = asked.context["form"]
    again = {name: form[name].value() for name in form.fields if form[name].value()}
    answer = nurse_client.post(
        reverse("patients:entries", args=[course.pk, "death"]),
        again | {"confirmed": form.questions_digest},
        **HTMX,
    )
    assert answer.status_code == 200, answer.content.decode()
    entry = Entry.objects.select_related("act").get(kind="death")
    assert entry.act.answers["attribution_reason"] == "Refractory shock"
    assert course.patient.mrn in str(entry.act.answers["confirmed"])
    assert f'data-grade="{grade}"' in answer.content.decode()
    assert "Refractory shock" in answer.content.decode()


def test_what_was_confirmed_is_what_was_asked(nurse_client: Client, course: Course) -> None:
    """A yes to one time, or one cause, is no yes to another."""
    said = {"attribution": "crs", "attribution_reason": "Refractory shock"}
    form = send(nurse_client, course, "death", **said).context["form"]
    assert form["observed_time"].value()
    again = {name: form[name].value() for name in form.fields if form[name].value()}
    changed = again | {"attribution": "other", "confirmed": form.questions_digest}
    answer = nurse_client.post(
        reverse("patients:entries", args=[course.pk, "death"]), changed, **HTMX
    )
    assert answer.status_code == 422
    assert not Entry.objects.filter(kind="death").exists()


# Two identifiers


@pytest.mark.parametrize("kind", ENTRY_FORMS)
def test_name_and_number_stand_beside_every_save_button(
    nurse_client: Client, nurse: User, course: Course, kind: str
) -> None:
    """In every form that records something, on the page and alone."""
    entry = chart(course, nurse, "vitals", temperature_c="38.5").entries[0]
    pages = [
        nurse_client.get(reverse("patients:bedside", args=[course.pk]), {"kind": kind}),
        nurse_client.get(reverse("patients:entries", args=[course.pk, kind]), **HTMX),
        nurse_client.get(reverse("patients:correct", args=[course.pk, entry.pk]), **HTMX),
        nurse_client.get(reverse("patients:retract", args=[course.pk, entry.pk]), **HTMX),
        nurse_client.get(reverse("patients:retract", args=[course.pk, entry.pk])),
        nurse_client.get(reverse("patients:transfer", args=[course.pk])),
    ]
    for page in pages:
        assert_identified(page.content.decode(), course)


def test_name_and_number_stand_beside_answers_to_guidance(
    nurse_client: Client, nurse: User, course: Course
) -> None:
    chart(course, nurse, "vitals", temperature_c="38.5")
    page = nurse_client.get(
        reverse(
            "patients:guidance_answer", args=[course.pk, "support.vigilant", "not_appropriate"]
        ),
        **HTMX,
    )
    assert_identified(page.content.decode(), course)
    panel = nurse_client.get(reverse("patients:guidance", args=[course.pk]), **HTMX)
    assert named(course) in words(panel.content.decode())


def named(course: Course) -> str:
    return f"{course.patient.name} · MRN {course.patient.mrn}"


def assert_identified(html: str, course: Course) -> None:
    """Each form that is sent to a course has the name in it, or the panel that it stands in has."""
    forms = re.findall(r'<form(?:(?!</form>).)*method="post".*?</form>', html, re.DOTALL)
    charting = [form for form in forms if "/courses/" in form.split(">")[0]]
    assert charting
    for form in charting:
        if "data-guidance" not in form:
            assert named(course) in words(form), form[:300]

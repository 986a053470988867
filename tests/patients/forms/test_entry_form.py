"""What all entry forms share: corrections, times that occur twice, sentences of refusal."""

from typing import Any
from unittest import mock

import pytest
from django.test import override_settings
from django.utils import timezone

from crs_app.accounts.models import User
from patients.forms.registry import CORRECTION_FORMS, ENTRY_FORMS
from patients.forms.retraction import RetractionForm
from patients.models import Course
from patients.queries.entries import parse_entry
from patients.ward.forms import AdmissionForm
from tests.factories import admit, chart, utc
from tests.patients.forms.bound_forms import bound, refusal

FRAMEWORK_S_OWN = ("This field", "Enter a valid", "Ensure this", "Select a valid", "UUID")


@pytest.mark.parametrize(
    ("kind", "body", "shown"),
    [
        ("vitals", {"temperature_f": "101.3"}, {"temperature": "101.3", "temperature_unit": "f"}),
        ("vitals", {"temperature_c": "38"}, {"temperature": "38", "temperature_unit": "c"}),
        ("vasopressor", {"drug": "dopamine", "rate": None}, {"dose_not_known": "yes"}),
        ("vasopressor", {"drug": "dopamine", "rate": "0"}, {"stopped": "yes", "rate": ""}),
        ("oxygen", {"device": "cpap", "fio2_percent": "40"}, {"fio2_percent": "40"}),
    ],
)
def test_a_correction_begins_with_what_was_charted(
    course: Course, clinician: User, kind: str, body: dict[str, Any], shown: dict[str, str]
) -> None:
    entry = chart(course, clinician, kind, **body).entries[0]
    opened = ENTRY_FORMS[kind](course=course, now=timezone.now(), correcting=entry)
    assert {name: opened[name].value() for name in shown} == shown
    sent = {name: opened[name].value() for name in opened.fields} | {"reason": "wrong"}
    sent = {name: value for name, value in sent.items() if value not in (None, "")}
    sent["attribution_reason"] = "pain"
    again = ENTRY_FORMS[kind](sent, course=course, now=timezone.now(), correcting=entry)
    assert again.is_valid(), again.errors
    (draft,) = again.new_entries()
    assert (draft.body, draft.at, draft.replaces) == (entry.body, entry.at, entry.pk)


def test_a_correction_keeps_an_attribution_by_field(course: Course, clinician: User) -> None:
    body = {"temperature_c": "38", "heart_rate": "140", "attribution": {"heart_rate": "other"}}
    entry = chart(course, clinician, "vitals", **body).entries[0]
    opened = ENTRY_FORMS["vitals"](course=course, now=timezone.now(), correcting=entry)
    sent = {name: opened[name].value() for name in opened.fields} | {"reason": "wrong"}
    sent = {name: value for name, value in sent.items() if value not in (None, "")}
    sent["attribution_reason"] = "pain"
    again = ENTRY_FORMS["vitals"](sent, course=course, now=timezone.now(), correcting=entry)
    assert again.is_valid(), again.errors
    corrected = again.new_entries()[0].body
    assert corrected["attribution"] == {"temperature_c": "crs", "heart_rate": "other"}
    assert parse_entry(entry).attribution_by_field
    whole = sent | {"attribution_heart_rate": ""}
    form = ENTRY_FORMS["vitals"](whole, course=course, now=timezone.now(), correcting=entry)
    assert form.is_valid()
    assert "attribution" not in form.new_entries()[0].body
    assert "attribution_reason" not in form.submission_answers()


def test_an_hour_that_was_twice_is_asked_about_in_the_form(clinician: User) -> None:
    infused = utc("2026-10-20 08:00")
    course = admit(clinician, infused_at=infused)
    fields = {"temperature": "38", "observed_date": "2026-10-25", "observed_time": "02:30"}
    with (
        override_settings(TIME_ZONE="Europe/Berlin"),
        mock.patch.object(timezone, "now", return_value=utc("2026-10-26 08:00")),
    ):
        form = bound(course, "vitals", **fields)
        assert not form.is_valid()
        assert form.asks_which
        assert "occurred twice" in form.errors["observed_which"][0]
        later = bound(course, "vitals", **fields, observed_which="later")
        assert later.is_valid()
        assert later.new_entries()[0].at == utc("2026-10-25 01:30")
        again = bound(course, "vitals", **fields | {"temperature": "50"}, observed_which="later")
        assert not again.is_valid()
        assert again.asks_which, "what was chosen is lost when another field is refused"
        skipped = {"observed_date": "2026-03-29", "observed_time": "02:30"}
        assert "did not exist" in refusal(course, "vitals", "observed_time", **fields | skipped)
        for which, at in (("earlier", "2026-10-25 00:30"), ("later", "2026-10-25 01:30")):
            entry = chart(course, clinician, "vitals", utc(at), heart_rate="90").entries[0]
            opened = ENTRY_FORMS["vitals"](course=course, now=timezone.now(), correcting=entry)
            assert opened.asks_which
            assert opened["observed_which"].value() == which
        once = chart(course, clinician, "vitals", utc("2026-10-25 02:00"), heart_rate="90")
        opened = ENTRY_FORMS["vitals"](
            course=course, now=timezone.now(), correcting=once.entries[0]
        )
        assert not opened.asks_which


NONSENSE = {
    "observed_date": "2026-99-01",
    "observed_time": "9x",
    "attribution": "weather",
    "note": "n" * 1001,
    "device": "hood",
    "drug": "salt",
    "unit": "cups",
    "term": "blue",
    "grade": "9",
    "temperature_unit": "k",
    "birth_date": "then",
    "infused_date": "x",
    "sex": "q",
    "ward": "w" * 99,
}


@pytest.mark.parametrize("fields", [{}, NONSENSE], ids=["nothing", "nonsense"])
def test_every_refusal_is_in_the_words_of_the_bedside(
    course: Course, fields: dict[str, str]
) -> None:
    """Nothing that the framework says by itself reaches a nurse."""
    forms = [
        form_class(fields, course=course, now=timezone.now())
        for form_class in CORRECTION_FORMS.values()
    ]
    for form in [*forms, AdmissionForm(fields, now=timezone.now()), RetractionForm(fields)]:
        assert not form.is_valid()
        for field, sentences in form.errors.items():
            for sentence in sentences:
                assert not any(words in sentence for words in FRAMEWORK_S_OWN), (field, sentence)

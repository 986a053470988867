"""Computed against stated grades, by criterion: a page and a CSV file."""

from __future__ import annotations

import csv
import re

from django.test import Client
from django.urls import reverse

from crs_app.accounts.models import User
from patients.models import Course
from tests.factories import ago, chart, correct, sending
from tests.patients.review.sign_off_form import another, signed

FORMULA = '=HYPERLINK("http://x")'


def lines(client: Client) -> list[dict[str, str]]:
    answer = client.get(reverse("patients:disagreements_csv"))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "no-store" in answer["Cache-Control"]
    text = b"".join(answer.streaming_content).decode()
    return list(csv.DictReader(text.splitlines()))


def rows(client: Client) -> list[str]:
    """The rows of both tables of the page, as text."""
    html = client.get(reverse("patients:disagreements")).content.decode()
    found = re.findall(r"<tr>.*?</tr>", html, flags=re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in found]


def test_each_criterion_that_decided_is_a_line(
    intensivist_client: Client, auditor_client: Client, clinician: User, grade_2: Course
) -> None:
    chart(grade_2, clinician, "vitals", ago(15), systolic_mmhg="84")
    signed(intensivist_client, grade_2, **another(3, "other", FORMULA))
    first, second = lines(auditor_client)
    assert [first["criterion"], second["criterion"]] == [
        "hypotension.low_pressure", "oxygen.below_40",
    ]  # fmt: skip
    assert (first["computed"], first["stated"], first["reason"]) == ("2", "3", "other")
    assert first["words"] == f"'{FORMULA}"
    assert (first["user"], first["role"], first["last_entry"]) == ("icu", "icu_reviewer", "5")
    assert first["mrn"] == grade_2.patient.mrn


def test_a_sign_off_that_agrees_is_counted_and_no_disagreement(
    intensivist_client: Client, auditor_client: Client, grade_2: Course
) -> None:
    signed(intensivist_client, grade_2)
    signed(intensivist_client, grade_2, **another(0, "another_cause", "urinary infection"))
    (line,) = lines(auditor_client)
    assert (line["criterion"], line["computed"], line["stated"]) == ("symptom.fever", "1", "0")
    shown = rows(auditor_client)
    assert "Fever 1 0 1 0" in shown
    assert "Oxygen < 40 % 1 1 0 0" in [row.replace("&lt;", "<") for row in shown]
    assert any("Another cause, not CRS urinary infection A. Osei ICU reviewer" in r for r in shown)


def test_a_correction_afterwards_changes_nothing_of_what_was_disagreed_with(
    intensivist_client: Client, auditor_client: Client, clinician: User, grade_2: Course
) -> None:
    signed(intensivist_client, grade_2, **another(1, "less_sick"))
    before = lines(auditor_client)
    oxygen = grade_2.entries.get(kind="oxygen")
    correct(oxygen, oxygen.at, {"device": "room_air"}, sending(clinician))
    assert lines(auditor_client) == before


def test_a_grade_without_any_criterion_is_a_line_too(
    intensivist_client: Client, auditor_client: Client, clinician: User, course: Course
) -> None:
    chart(course, clinician, "vitals", ago(30), temperature_c="36.8")
    signed(intensivist_client, course, **another(1))
    (line,) = lines(auditor_client)
    assert (line["criterion"], line["computed"], line["stated"]) == ("none", "0", "1")
    assert "No criterion met 1 0 0 1" in rows(auditor_client)


def test_with_nothing_signed_the_page_says_so(auditor_client: Client, course: Course) -> None:
    assert lines(auditor_client) == []
    assert any("Nothing is signed yet." in row for row in rows(auditor_client))

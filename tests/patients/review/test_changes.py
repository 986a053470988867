"""What changed since a reader last marked a course as seen, or signed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crs_app.accounts.models import User
from patients.models import Course, CourseSeen
from patients.recording.inputs import NewEntry
from patients.recording.record import retract_entry
from tests.factories import ago, chart, correct, record, sending
from tests.patients.policy.policy_form import Make
from tests.patients.review.sign_off_form import page, signed


def changes(client: Client, course: Course) -> str:
    """The text of the part of the page that says what changed."""
    html = page(client, course)
    part = html[html.index('id="changes"') : html.index('id="sign-off"')]
    return " ".join(re.sub(r"<[^>]+>", " ", part).split())


def mark(client: Client, course: Course) -> Any:
    html = page(client, course)
    shown = re.search(r'name="known_at" value="([^"]+)"', html[html.index('id="changes"') :])
    assert shown is not None
    return client.post(reverse("patients:seen", args=[course.pk]), {"known_at": shown[1]})


def test_before_the_first_press_nothing_is_marked_and_opening_marks_nothing(
    nurse_client: Client, grade_2: Course
) -> None:
    for _ in range(2):
        assert "Not marked as seen yet" in changes(nurse_client, grade_2)
    assert not CourseSeen.objects.exists()


def test_after_the_press_nothing_has_changed(nurse_client: Client, grade_2: Course) -> None:
    answer = mark(nurse_client, grade_2)
    assert answer["Location"] == reverse("patients:sign_off", args=[grade_2.pk])
    assert "Changed since you last looked" in changes(nurse_client, grade_2)
    assert "Nothing." in changes(nurse_client, grade_2)


def test_a_late_entry_is_named_with_the_stretch_that_it_changed(
    nurse_client: Client, clinician: User, grade_2: Course
) -> None:
    mark(nurse_client, grade_2)
    record(
        grade_2,
        clinician,
        [
            NewEntry("oxygen", ago(18), {"device": "venturi_mask", "fio2_percent": "50"}),
            NewEntry("oxygen", ago(12), {"device": "nasal_cannula", "flow_l_per_min": "2"}),
            NewEntry("treatment", ago(5), {"agent": "tocilizumab", "dose_mg": "640"}),
        ],
    )
    told = changes(nurse_client, grade_2)
    assert "grade 2 → 3. Venturi mask, FiO2 50 % was charted 18 min later;" in told
    assert "by J. Ruiz." in told
    assert "New since then: 2 grade changes, Tocilizumab, 3 entries." not in told
    assert "New since then: Tocilizumab, 3 entries." in told


def test_corrections_and_retractions_are_named_with_what_they_replaced(
    nurse_client: Client, clinician: User, course: Course
) -> None:
    weight = {"drug": "norepinephrine", "unit": "ug/kg/min"}
    entry = chart(course, clinician, "vasopressor", ago(240), rate="0.6", **weight).entries[0]
    mark(nurse_client, course)
    corrected = correct(entry, entry.at, {"rate": "0.16", **weight}, sending(clinician)).entries[0]
    told = changes(nurse_client, course)
    assert "grade 3 → 2." in told
    assert "Norepinephrine 0.6 mcg/kg/min × 80 kg = 48 mcg/min was corrected to" in told
    assert "0.16 mcg/kg/min × 80 kg = 12.8 mcg/min, by" in told
    retract_entry(corrected, sending(clinician, answers={"reason": "another patient"}))
    assert "was entered in error, by J. Ruiz." in changes(nurse_client, course)


def test_a_change_after_the_press_is_new_and_not_a_change_of_the_past(
    nurse_client: Client, clinician: User, grade_2: Course
) -> None:
    mark(nurse_client, grade_2)
    chart(grade_2, clinician, "oxygen", ago(-2), device="venturi_mask", fio2_percent="50")
    told = changes(nurse_client, grade_2)
    assert "→" not in told
    assert "New since then: 1 entry." in told


def test_a_decision_on_the_policy_is_named_as_such(
    nurse_client: Client, on_cpap: Course, decided: Make
) -> None:
    mark(nurse_client, on_cpap)
    decided(ago(30), cpap_grade=4)
    assert "grade 3 → 4. The policy was changed by L. Berg." in changes(nurse_client, on_cpap)


def test_to_sign_is_to_have_seen(intensivist_client: Client, grade_2: Course) -> None:
    signed(intensivist_client, grade_2)
    assert "Nothing." in changes(intensivist_client, grade_2)


def test_each_reader_has_marks_of_his_own(
    nurse_client: Client, intensivist_client: Client, grade_2: Course
) -> None:
    mark(nurse_client, grade_2)
    assert "Not marked as seen yet" in changes(intensivist_client, grade_2)


def test_the_press_leads_back_to_the_page_that_it_was_on(
    nurse_client: Client, grade_2: Course
) -> None:
    address = reverse("patients:seen", args=[grade_2.pk])
    own = reverse("patients:sign_off", args=[grade_2.pk])
    for there, leads_to in (
        ("/", "/"),
        ("/?at=0001-01-01T00:00:00Z", "/?at=0001-01-01T00:00:00Z"),
        ("0001-01-01T00:00:00Z", own),
        ("patients:board", own),
        ("https://elsewhere.test/", own),
        ("//elsewhere.test/", own),
        ("/\\elsewhere.test/", own),
    ):
        answer = nurse_client.post(address, {"known_at": ago().isoformat(), "next": there})
        assert answer["Location"] == leads_to


@pytest.mark.parametrize("known_at", ["", "now", "2026-01-01T10:00"])
def test_a_bad_time_marks_nothing(nurse_client: Client, grade_2: Course, known_at: str) -> None:
    address = reverse("patients:seen", args=[grade_2.pk])
    assert nurse_client.post(address, {"known_at": known_at}).status_code == 400
    assert not CourseSeen.objects.exists()

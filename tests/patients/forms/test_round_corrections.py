"""Corrections of the things that a round charted, each by a form of its own."""

from typing import Any

import pytest
from django.test import Client

from crs_app.accounts.models import User
from patients.models import Course, Entry
from tests.entry_forms import HTMX, send_correction, text_of, url
from tests.factories import ago, chart

pytestmark = pytest.mark.django_db(transaction=True)
PARTS = {"orientation": "3", "naming": "3", "commands": "1", "writing": "1", "attention": "1"}


def entry(course: Course, by: User, kind: str, **body: Any) -> Entry:
    return chart(course, by, kind, ago(hours=2), **body).entries[0]


def corrected(charted: Entry) -> Entry:
    return Entry.objects.get(replaces=charted)


@pytest.mark.parametrize(
    ("kind", "body", "changes", "after"),
    [
        ("ice", PARTS, {"orientation": "4"}, PARTS | {"orientation": "4"}),
        (
            "ice",
            PARTS,
            {"attention": ""},
            {name: points for name, points in PARTS.items() if name != "attention"},
        ),
        ("ice", {"score": "9"}, {"score": "7"}, {"score": "7"}),
        (
            "ice",
            {"score": "9"},
            {"score": "", "not_done": "sedated"},
            {"performed": False, "reason": "sedated"},
        ),
        (
            "ice",
            {"performed": False},
            {"not_done": "language"},
            {"performed": False, "reason": "language"},
        ),
        ("capd", {"score": "6"}, {"score": "11"}, {"score": "11"}),
        (
            "capd",
            {"performed": False, "reason": "refused"},
            {"not_done": "", "score": "3"},
            {"score": "3"},
        ),
        ("consciousness", {"level": "alert"}, {"level": "voice"}, {"level": "voice"}),
        (
            "seizure",
            {"seizure_type": "focal", "resolved": False},
            {"resolved": "yes", "duration_minutes": "7"},
            {"seizure_type": "focal", "resolved": True, "duration_minutes": "7"},
        ),
        (
            "seizure",
            {"seizure_type": "focal", "repetitive_without_recovery": True},
            {"seizure_type": "generalised"},
            {"seizure_type": "generalised", "repetitive_without_recovery": True},
        ),
        (
            "neuro_sign",
            {"sign": "papilledema", "present": True},
            {"present": "no"},
            {"sign": "papilledema", "present": False},
        ),
    ],
)
def test_a_correction_shows_what_was_charted_and_charts_what_is_changed(
    nurse_client: Client,
    clinician: User,
    course: Course,
    kind: str,
    body: dict[str, Any],
    changes: dict[str, str],
    after: dict[str, Any],
) -> None:
    before = entry(course, clinician, kind, **body)
    assert send_correction(nurse_client, course, before, **changes).status_code == 200
    assert corrected(before).body == after
    assert corrected(before).at == before.at


@pytest.mark.parametrize(
    ("kind", "body", "changes", "name", "sentence"),
    [
        ("ice", PARTS, {"score": "9"}, "score", "Enter the whole score or the parts, not both."),
        ("ice", {"score": "9"}, {"score": "11"}, "score", "not possible"),
        ("ice", {"score": "9"}, {"score": "8.5"}, "score", "whole number"),
        ("ice", {"score": "9"}, {"score": ""}, "score", "Enter the points, or why"),
        ("ice", PARTS, {"not_done": "sedated"}, "not_done", "There are points too"),
        ("ice", PARTS, {"orientation": "5"}, "orientation", "Choose one of the list."),
        ("capd", {"score": "9"}, {"score": "33"}, "score", "not possible"),
        ("consciousness", {"level": "alert"}, {"level": ""}, "level", "Choose how awake"),
        (
            "seizure",
            {"seizure_type": "focal"},
            {"duration_minutes": "1441"},
            "duration_minutes",
            "not possible",
        ),
        (
            "consciousness",
            {"level": "voice"},
            {"attribution": "other"},
            "attribution_reason",
            "Say what else",
        ),
        (
            "neuro_sign",
            {"sign": "posturing", "present": True},
            {"reason": ""},
            "reason",
            "Say why the entry is corrected.",
        ),
    ],
)
def test_a_wrong_correction_is_refused_at_its_field(
    nurse_client: Client,
    clinician: User,
    course: Course,
    kind: str,
    body: dict[str, Any],
    changes: dict[str, str],
    name: str,
    sentence: str,
) -> None:
    before = entry(course, clinician, kind, **body)
    answer = send_correction(nurse_client, course, before, **changes)
    assert answer.status_code == 422
    assert sentence in answer.context["form"].errors[name][0]
    assert not Entry.objects.filter(replaces=before).exists()


def test_a_correction_that_changes_nothing_is_refused(
    nurse_client: Client, clinician: User, course: Course
) -> None:
    before = entry(course, clinician, "ice", **PARTS)
    answer = send_correction(nurse_client, course, before)
    assert answer.status_code == 422
    assert "Nothing was changed." in text_of(answer.content.decode())


def test_a_correction_of_a_thing_corrected_meanwhile_shows_both(
    nurse_client: Client, clinician: User, course: Course
) -> None:
    before = entry(course, clinician, "capd", score="6")
    address = url("correct", course, before.pk)
    opened = nurse_client.get(address, **HTMX).context["form"]
    sent = {name: opened[name].value() or "" for name in opened.fields}
    send_correction(nurse_client, course, before, score="7")
    answer = nurse_client.post(address, sent | {"score": "8", "reason": "misread"}, **HTMX)
    assert answer.status_code == 409
    shown = text_of(answer.content.decode())
    assert "CAPD 7" in shown
    assert "CAPD 8" in shown


def test_each_thing_of_a_round_can_be_marked_as_entered_in_error(
    nurse_client: Client, clinician: User, course: Course
) -> None:
    before = entry(course, clinician, "consciousness", level="tactile")
    opened = nurse_client.get(url("retract", course, before.pk), **HTMX).context["form"]
    sent = {"form_id": opened["form_id"].value(), "reason": "wrong patient"}
    assert nurse_client.post(url("retract", course, before.pk), sent, **HTMX).status_code == 200
    assert corrected(before).kind == "retraction"

"""A nurse sees on each entry whence it came: by which system, and whether a person looked at it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crs_app.accounts.models import User
from patients.display.site_times import site_time
from patients.exchange.fhir_message import fhir_message
from patients.exchange.file import receive
from patients.exchange.register import register_system
from patients.models import FROM_KIND, FROM_SYSTEM, Course, Entry, ExternalSystem, SystemKind
from patients.recording.inputs import NewEntry
from patients.recording.record import record_entries
from tests.factories import ago, chart, sending
from tests.patients.exchange.fhir_documents import (
    MRN_SYSTEM,
    bundle,
    creatinine,
    observation,
    patient,
)


def sent_by(name: str, kind: SystemKind, course: Course, *resources: Any) -> ExternalSystem:
    system = register_system(name, kind, by=None, mrn_system=MRN_SYSTEM, filing={"default": "file"})
    receive(system, fhir_message(bundle(patient(course), *resources), MRN_SYSTEM))
    return system


def text_of(client: Client, name: str, course: Course) -> str:
    page = client.get(reverse(f"patients:{name}", args=[course.pk])).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (SystemKind.LABORATORY, "from laboratory LIS-1"),
        (SystemKind.MONITOR, "from monitor LIS-1, not validated"),
    ],
)
def test_the_timeline_names_the_system(
    kind: SystemKind, words: str, course: Course, nurse_client: Client
) -> None:
    sent_by("LIS-1", kind, course, creatinine(ago(20)), observation(ago(20)))
    shown = text_of(nurse_client, "bedside", course)
    assert shown.count(words) == 2
    assert text_of(nurse_client, "timeline", course).count(words) == 2


@pytest.mark.parametrize("name", ["bedside", "handover"])
def test_values_that_nobody_validated_say_so_wherever_their_author_stands(
    name: str, course: Course, nurse_client: Client
) -> None:
    sent_by("ICU-7", SystemKind.MONITOR, course, observation(ago(20), value="38.9"))
    shown = text_of(nurse_client, name, course)
    assert "ICU-7" in shown
    assert shown.count("ICU-7") == shown.count("monitor ICU-7, not")


def test_what_a_nurse_charted_from_the_inbox_shows_nurse_and_device(
    course: Course, nurse: User, nurse_client: Client
) -> None:
    submission = sending(nurse, answers={FROM_SYSTEM: "ICU-7", FROM_KIND: "monitor"})
    record_entries(course, [NewEntry("vitals", ago(9), {"temperature_c": "38.4"})], submission)
    shown = text_of(nurse_client, "timeline", course)
    confirmed_at = site_time(Entry.objects.get(course=course, kind="vitals").recorded_at)
    assert f"From monitor ICU-7, confirmed by J. Ruiz, {confirmed_at:%H:%M}" in shown
    chart(course, nurse, "vitals", ago(5), temperature_c="38.0")
    assert text_of(nurse_client, "timeline", course).count("ICU-7") == 1


def test_administrators_see_systems_apart_from_people(
    course: Course, administrator_client: Client
) -> None:
    system = sent_by("LIS-1", SystemKind.LABORATORY, course, creatinine(ago(20)))
    people = administrator_client.get(reverse("people:list")).content.decode()
    assert "LIS-1" not in people
    assert "Other systems" in people
    systems = administrator_client.get(reverse("people:list"), {"show": "systems"})
    assert "laboratory LIS-1" in systems.content.decode()
    page = administrator_client.get(reverse("people:person", args=[system.user.pk]))
    shown = page.content.decode()
    assert "never" in shown
    assert "Change role" not in shown
    for name, arguments in (("role", {"role": "auditor"}), ("link", {})):
        address = reverse(f"people:{name}", args=[system.user.pk])
        answer = administrator_client.post(
            address, {**arguments, "your_password": "correct horse 1"}
        )
        assert answer.status_code == 404, name
    new = administrator_client.get(reverse("people:new")).content.decode()
    assert 'value="system"' not in new

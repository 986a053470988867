"""A monitor that sends every minute is thinned out, but never what counts in the grade."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from patients.exchange.fhir_message import fhir_message
from patients.exchange.file import receive
from patients.exchange.register import register_system
from patients.models import (
    Course,
    Entry,
    EntryKind,
    ExternalSystem,
    HeldItem,
    InboundMessage,
    SystemKind,
)
from tests.factories import ago
from tests.patients.exchange.fhir_documents import MRN_SYSTEM, bundle, observation, patient


def monitor(course: Course, filing: str, **settings: Any) -> ExternalSystem:
    return register_system(
        "ICU-7", SystemKind.MONITOR, by=None, mrn_system=MRN_SYSTEM,
        filing={"default": filing}, **settings,
    )  # fmt: skip


def send(system: ExternalSystem, course: Course, at: datetime, systolic: str, **more: Any) -> None:
    signs = [("8480-6", systolic, "mm[Hg]"), ("8867-4", "88", "/min")]
    sent = [
        observation(at, code, value, unit, id=f"{code}-{at:%H%M%S}", **more)
        for code, value, unit in signs
    ]
    receipt = receive(system, fhir_message(bundle(patient(course), *sent), MRN_SYSTEM))
    assert receipt.message.filed + receipt.message.held + len(receipt.message.remarks) == 2


def quarter() -> datetime:
    """The start of a quarter of an hour, two hours ago."""
    then = ago(hours=2)
    return then.replace(minute=then.minute // 15 * 15, second=0, microsecond=0)


def charted(course: Course) -> list[tuple[int, str]]:
    """Minutes after the quarter, and the systolic pressure."""
    entries = Entry.objects.filter(course=course, kind=EntryKind.VITALS).order_by("at")
    start = quarter()
    return [(int((one.at - start).total_seconds() // 60), one.body["systolic_mmhg"])
            for one in entries]  # fmt: skip


def test_one_set_of_a_quarter_of_an_hour_is_charted_and_every_message_kept(course: Course) -> None:
    system, start = monitor(course, "file"), quarter()
    for minute in range(0, 32, 4):
        send(system, course, start + timedelta(minutes=minute), "120")
    assert charted(course) == [(0, "120"), (16, "120")]
    assert InboundMessage.objects.count() == 8
    remarks = [one["reason"] for message in InboundMessage.objects.all() for one in message.remarks]
    assert remarks == ["thinned"] * 12


def test_a_pressure_that_falls_between_two_marks_is_charted_and_its_rise_too(
    course: Course,
) -> None:
    system, start = monitor(course, "file"), quarter()
    for minute, systolic in enumerate(["120", "121", "78", "77", "119", "120"]):
        send(system, course, start + timedelta(minutes=minute), systolic)
    assert charted(course) == [(0, "120"), (2, "78"), (4, "119")]


def test_what_is_proposed_is_thinned_out_alike(course: Course) -> None:
    system, start = monitor(course, "propose"), quarter()
    for minute, systolic in enumerate(["120", "121", "78", "77", "119", "120"]):
        send(system, course, start + timedelta(minutes=minute), systolic)
    proposed = HeldItem.objects.filter(proposal__has_key="systolic_mmhg").order_by("at")
    assert [one.proposal["systolic_mmhg"] for one in proposed] == ["120", "78", "119"]
    assert charted(course) == []


@pytest.mark.parametrize("kind", [SystemKind.EHR, SystemKind.LABORATORY])
def test_nothing_of_other_systems_is_thinned_out(kind: SystemKind, course: Course) -> None:
    system = register_system("other", kind, by=None, mrn_system=MRN_SYSTEM, thinning_minutes=15)
    for minute in range(3):
        send(system, course, quarter() + timedelta(minutes=minute), "120")
    assert len(charted(course)) == 3


def test_parts_of_one_set_corrections_and_late_sets_are_not_thinned_out(course: Course) -> None:
    system, start = monitor(course, "file"), quarter()
    at = start + timedelta(minutes=5)
    send(system, course, at, "120", meta={"versionId": "1"})
    temperature = observation(at, id="t")
    receive(system, fhir_message(bundle(patient(course), temperature), MRN_SYSTEM))
    send(system, course, at, "122", meta={"versionId": "2"}, status="corrected")
    send(system, course, start + timedelta(minutes=2), "125")
    in_force = Entry.objects.filter(
        course=course, kind=EntryKind.VITALS, replaced_by=None
    ).order_by("at")
    assert [one.body for one in in_force] == [
        {"systolic_mmhg": "125", "heart_rate": "88"},
        {"systolic_mmhg": "122", "heart_rate": "88", "temperature_c": "38.20"},
    ]


def test_without_minutes_each_set_is_charted(course: Course) -> None:
    system = monitor(course, "file", thinning_minutes=None)
    for minute in range(3):
        send(system, course, quarter() + timedelta(minutes=minute), "120")
    assert len(charted(course)) == 3

"""A monitor that sends every minute is thinned out, but never what counts in the grade."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from crs_app.accounts.models import User
from crs_app.record.models import Event, EventKind
from patients.exchange.before_the_mark import file_of_silent
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
from patients.queries.held import read_sums
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
    message = receive(system, fhir_message(bundle(patient(course), *sent), MRN_SYSTEM)).message
    alone = [one for one in message.remarks if one["alone"]]
    assert message.filed + message.held + len(alone) == 2


def quarter() -> datetime:
    """The start of a quarter of an hour, two hours ago."""
    then = ago(hours=2)
    return then.replace(minute=then.minute // 15 * 15, second=0, microsecond=0)


def minutes_after(at: datetime) -> int:
    return int((at - quarter()).total_seconds() // 60)


def open_proposals(course: Course) -> list[tuple[int, str]]:
    """Minutes after the quarter, and the systolic pressure, of what a person may chart."""
    items = HeldItem.objects.filter(
        course=course, decision=None, proposal__has_key="systolic_mmhg"
    ).order_by("at")
    return [(minutes_after(one.at), one.proposal["systolic_mmhg"]) for one in items]


def charted(course: Course) -> list[tuple[int, str]]:
    """Minutes after the quarter, and the systolic pressure."""
    entries = Entry.objects.filter(course=course, kind=EntryKind.VITALS).order_by("at")
    return [(minutes_after(one.at), one.body["systolic_mmhg"]) for one in entries]


def test_the_last_set_before_each_mark_is_charted_and_every_message_kept(course: Course) -> None:
    system, start = monitor(course, "file"), quarter()
    for minute in range(0, 36, 4):
        send(system, course, start + timedelta(minutes=minute), f"{120 + minute}")
    after_silence = (0, "120")
    assert charted(course) == [after_silence, (12, "132"), (28, "148")]
    assert InboundMessage.objects.count() == 9
    remarks = [one["reason"] for message in InboundMessage.objects.all() for one in message.remarks]
    assert remarks == ["thinned"] * 16
    of_last = Entry.objects.get(course=course, at=start + timedelta(minutes=12)).act.message
    assert of_last is not None
    assert {one["at"] for one in of_last.remarks} == {(start + timedelta(minutes=12)).isoformat()}


def test_a_set_that_counted_just_before_the_mark_is_the_last_of_its_span(course: Course) -> None:
    system, start = monitor(course, "file"), quarter()
    for minute, systolic in [(0, "120"), (13, "121"), (14, "78"), (15, "78"), (16, "79")]:
        send(system, course, start + timedelta(minutes=minute), systolic)
    assert charted(course) == [(0, "120"), (14, "78")]


def test_the_last_set_of_a_monitor_that_falls_silent_is_charted_after_the_mark(
    course: Course,
) -> None:
    system, start = monitor(course, "file"), quarter()
    for minute in (0, 4, 8):
        send(system, course, start + timedelta(minutes=minute), f"{120 + minute}")
    assert file_of_silent(system, timezone.now()) == 0  # it sent just now
    after_the_next_mark = timezone.now() + timedelta(minutes=16)
    assert file_of_silent(system, after_the_next_mark) == 1
    assert charted(course) == [(0, "120"), (8, "128")]
    written = Event.objects.filter(kind=EventKind.SYSTEM_WRITE, course_id=course.pk)
    assert written.count() == 4
    assert written.latest("number").by_id == system.user_id
    assert file_of_silent(system, after_the_next_mark) == 0


def test_a_document_of_many_sets_is_thinned_out_like_many_messages(course: Course) -> None:
    system, start = monitor(course, "file"), quarter()
    sent = [
        observation(
            start + timedelta(minutes=minute), "8480-6", f"{120 + minute}", "mm[Hg]", id=f"{minute}"
        )
        for minute in range(0, 36, 4)
    ]
    receive(system, fhir_message(bundle(patient(course), *sent), MRN_SYSTEM))
    assert charted(course) == [(0, "120"), (12, "132"), (28, "148")]


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
    assert open_proposals(course) == [(0, "120"), (2, "78"), (4, "119")]
    assert charted(course) == []


def test_the_first_set_is_proposed_until_the_last_before_the_mark_is_known(
    course: Course, nurse: User
) -> None:
    system, start = monitor(course, "propose"), quarter()
    for minute in (0, 14, 15, 17, 28):
        send(system, course, start + timedelta(minutes=minute), f"{120 + minute}")
    assert open_proposals(course) == [(14, "134"), (15, "135")]
    send(system, course, start + timedelta(minutes=30), "120")
    assert open_proposals(course) == [(14, "134"), (28, "148"), (30, "120")]
    closed = HeldItem.objects.filter(proposal__has_key="systolic_mmhg", decision__what="closed")
    assert [minutes_after(one.at) for one in closed.order_by("at")] == [0, 15]
    sums = read_sums(nurse, ago(hours=1))
    assert (sums.on_charts, sums.held, sums.set_aside, sums.received) == (0, 6, 4, 12)
    assert {one.reason for one in HeldItem.objects.all()} == {"unvalidated"}


@pytest.mark.parametrize("kind", [SystemKind.EHR, SystemKind.LABORATORY])
def test_nothing_of_other_systems_is_thinned_out(kind: SystemKind, course: Course) -> None:
    system = register_system("other", kind, by=None, mrn_system=MRN_SYSTEM, thinning_minutes=15)
    for minute in range(3):
        send(system, course, quarter() + timedelta(minutes=minute), "120")
    assert len(charted(course)) == 3


def test_parts_of_one_set_and_corrections_are_not_thinned_out(course: Course) -> None:
    system, start = monitor(course, "file"), quarter()
    at = start + timedelta(minutes=5)
    send(system, course, start, "120")
    send(system, course, at, "78", meta={"versionId": "1"})
    respirations = observation(at, "9279-1", "18", "/min", id="r")
    receive(system, fhir_message(bundle(patient(course), respirations), MRN_SYSTEM))
    send(system, course, at, "122", meta={"versionId": "2"}, status="corrected")
    in_force = Entry.objects.get(course=course, kind=EntryKind.VITALS, replaced_by=None, at=at)
    assert in_force.body == {"systolic_mmhg": "122", "heart_rate": "88", "respiratory_rate": "18"}


def test_a_correction_of_a_set_that_waits_is_charted_with_the_rest_of_it(course: Course) -> None:
    system, start = monitor(course, "file"), quarter()
    at = start + timedelta(minutes=5)
    send(system, course, start, "119")
    send(system, course, at, "120", meta={"versionId": "1"})
    corrected = observation(
        at, "8480-6", "124", "mm[Hg]", id=f"8480-6-{at:%H%M%S}", meta={"versionId": "2"},
        status="corrected",
    )  # fmt: skip
    receive(system, fhir_message(bundle(patient(course), corrected), MRN_SYSTEM))
    send(system, course, start + timedelta(minutes=20), "121")
    in_force = Entry.objects.filter(course=course, kind=EntryKind.VITALS, replaced_by=None)
    assert [one.body for one in in_force.order_by("at")] == [
        {"systolic_mmhg": "119", "heart_rate": "88"},
        {"systolic_mmhg": "124", "heart_rate": "88"},
    ]


def test_without_minutes_each_set_is_charted(course: Course) -> None:
    system = monitor(course, "file", thinning_minutes=None)
    for minute in range(3):
        send(system, course, quarter() + timedelta(minutes=minute), "120")
    assert len(charted(course)) == 3

"""What comes in by the database is what the command makes of it, and nothing of it is lost.

Every statement of a message is charted, held or remarked, and the rows say so. The cases are those
of the command ``to-course``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.utils import timezone

from crs_app.accounts.models import User
from grading.systems import HEADLINE
from patients.exchange.course_file import import_course
from patients.exchange.exported import exported
from patients.exchange.fhir_export import fhir_bundle
from patients.exchange.fhir_message import FhirMessage, fhir_message
from patients.exchange.file import receive
from patients.exchange.formats.exact_json import write_json
from patients.exchange.formats.hl7_message import split_messages
from patients.exchange.hl7_incoming import Hl7Message
from patients.exchange.incoming import Outcome
from patients.exchange.register import register_system
from patients.models import (
    Course,
    Entry,
    ExternalSystem,
    HeldItem,
    InboundMessage,
    SourceKey,
    SystemKind,
    Verdict,
)
from patients.queries.export import read_to_export
from patients.recording.verify import differences
from tests.factories import admit, ago
from tests.patients.exchange.hl7_messages import oru
from tests.patients.exchange.message_cases import (
    MRN_SYSTEM,
    Case,
    bundles_of,
    context_of,
    read_cases,
    shown_in_force,
)


def of_several_steps() -> Iterator[Case]:
    """The cases that depend on what was charted or sent before.

    Left out: those with keys from before, and those of the future, for the clock here is another.
    """
    for case in read_cases():
        is_of_steps = " / " in case.messages or case.charted
        if is_of_steps and " = " not in case.charted and "time.future" not in case.held:
            yield case


class Observed(FhirMessage):
    """A FHIR document that keeps what became of it."""

    def answer(self, outcome: Outcome) -> Mapping[str, Any]:
        object.__setattr__(self, "outcome", outcome)
        return super().answer(outcome)


def observed(raw: bytes, mrn_system: str = MRN_SYSTEM) -> Observed:
    return Observed(**vars(fhir_message(raw, mrn_system)))


def assert_all_accounted_for(outcome: Outcome, message: InboundMessage) -> None:
    document, converted = outcome.document, outcome.converted
    assert document is not None
    assert converted is not None
    charted = {one.key for one in (*converted.filed, *converted.confirmed)}
    placed = {one.place for one in (*converted.held, *converted.remarks)}
    for statement in document.statements:
        place = statement.source.place
        is_placed = any(one == place or one.startswith(f"{place}.") for one in placed)
        assert statement.source.key in charted or is_placed, place
    held = HeldItem.objects.filter(message=message)
    assert message.filed == len(converted.filed) + len(converted.confirmed)
    assert message.held == held.count() == len(converted.held)
    assert [one["reason"] for one in message.remarks] == [one.reason for one in converted.remarks]
    assert SourceKey.objects.filter(message=message).count() == len(converted.keys)
    alone = [one for one in message.remarks if one["alone"]]
    assert message.filed + message.held + len(alone) >= len(document.statements)


def system_of(case: Case) -> ExternalSystem:
    words = context_of(case)["system"]
    return register_system(
        words["name"], SystemKind(words["kind"]), by=None, mrn_system=MRN_SYSTEM,
        timezone_name="Europe/Berlin", filing=words["filing"],
    )  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("case", list(of_several_steps()), ids=lambda case: case.name)
def test_the_chart_is_what_the_command_answers(case: Case, nurse: User) -> None:
    course = import_course(write_json(context_of(case)["course"]), [nurse])
    system = system_of(case)
    for text in bundles_of(case):
        message = observed(text.encode())
        receipt = receive(system, message)
        assert receipt.message.verdict == Verdict.ACCEPTED, receipt.answer
        if receipt.is_replay:
            continue
        assert_all_accounted_for(message.outcome, receipt.message)  # type: ignore[attr-defined]
    document = exported(read_to_export(course, HEADLINE, timezone.now())).document
    at_start = ("weight", "baseline", "risk")
    for one in document["entries"]:
        one |= {"rate": 0} if one.get("rate") == "0" else {}  # the cases write it as a number
    entries = [one for one in document["entries"] if not one["kind"].startswith(at_start)]
    weighed = [one for one in document["entries"] if one["kind"] == "weight"][1:]
    shown = shown_in_force(json.dumps({"course": {**document, "entries": [*entries, *weighed]}}))
    assert shown == case.in_force
    assert differences(course) == []


def test_an_export_comes_back_whole_to_another_site(course: Course, grade_3: Course) -> None:
    """A course with entries of many kinds: each resource is charted, held or passed over."""
    raw = fhir_bundle(grade_3, timezone.now(), current=True, mrn_system=MRN_SYSTEM).encode()
    there = admit(
        grade_3.admitted_by, name=grade_3.patient.name, weight_kg=None, ward="9Z",
        infused_at=grade_3.infused_at, product="another",
    )  # fmt: skip
    raw = raw.replace(grade_3.patient.mrn.encode(), there.patient.mrn.encode())
    system = register_system("other", SystemKind.EHR, by=None, mrn_system=MRN_SYSTEM)
    message = observed(raw)
    receipt = receive(system, message)
    assert_all_accounted_for(message.outcome, receipt.message)  # type: ignore[attr-defined]
    assert (receipt.message.course, receipt.message.held) == (there, 0)
    kinds = ["vitals", "oxygen", "vasopressor", "lab"]
    here = Entry.objects.filter(course=grade_3, kind__in=kinds, replaced_by=None)
    came = Entry.objects.filter(course=there, kind__in=kinds)
    assert sorted((one.kind, one.at) for one in came) == sorted(
        (one.kind, one.at) for one in here if one.kind != "retraction"
    )


@pytest.mark.parametrize("value", ["1.9", "9.9", "hemolysed", "999999", ""])
def test_an_hl7_result_is_charted_held_or_remarked(course: Course, value: str) -> None:
    system = register_system("lab-1", SystemKind.LABORATORY, by=None, mrn_system="urn:crs:mrn")
    (frame,), _ = split_messages(oru(course, "A1", value, at=ago(minutes=9)))
    message = receive(system, Hl7Message(system, frame, timezone.now())).message
    alone = [one for one in message.remarks if one["alone"]]
    assert message.filed + message.held + len(alone) == 1

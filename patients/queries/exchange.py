"""Read what is known of another system: its earlier messages, its keys, codes and entries."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from django.db import connection
from django.db.models import F, QuerySet

from patients.models import (
    ActSource,
    Course,
    Entry,
    ExternalSystem,
    HeldItem,
    InboundMessage,
    LocalCode,
    Patient,
    SourceKey,
)
from patients.queries.courses import read_course_by_orm
from patients.queries.export import CourseToExport, ExportEntry
from patients.queries.identity import read_kept_record, read_patient_by_mrn
from patients.queries.policies import policy_periods_for

_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


def lock_control_id(system: ExternalSystem, control_id: str) -> None:
    """Wait for every other message of that name until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [f"inbound message {system.pk} {control_id}"])


def read_messages_of(system: ExternalSystem, control_id: str) -> list[InboundMessage]:
    """Read the messages of that name, the latest first, without their bytes."""
    found = InboundMessage.objects.filter(system=system, control_id=control_id)
    return list(found.defer("raw").order_by("-received_at"))


def read_patient_of(mrns: Iterable[str]) -> tuple[Patient, str] | None:
    """Read the patient of the first number that is on the chart, and that number as it was sent.

    A number that was joined to another leads to the record that was kept.
    """
    for mrn in mrns:
        patient = read_patient_by_mrn(mrn)
        if patient is not None:
            return read_kept_record(patient), mrn
    return None


def read_open_course(patient: Patient) -> Course | None:
    """Read the open course of a patient; of several the one that was infused last."""
    found = Course.objects.filter(patient=patient, ended_at=None).order_by("-infused_at", "pk")
    pk = found.values_list("pk", flat=True).first()
    return None if pk is None else read_course_by_orm(pk)


def read_course_in_bed(ward: str, bed: str) -> Course | None:
    """Read the open course in a bed; None where there is none, or more than one."""
    if not ward or not bed:
        return None
    found = Course.objects.filter(
        on_ward__name__iexact=ward, bed__iexact=bed, ended_at=None
    ).values_list("pk", flat=True)[:2]
    return read_course_by_orm(found[0]) if len(found) == 1 else None


def read_to_convert(course: Course, known_at: datetime) -> CourseToExport:
    """Read a course with every entry and without its grades, which no other system changes."""
    entries = Entry.objects.filter(course=course).order_by("at", "recorded_at", "place")
    rows = entries.values_list("id", "kind", "at", "recorded_at", "replaces_id", "body")
    return CourseToExport(
        course=course,
        known_at=known_at,
        entries=[
            ExportEntry(
                str(pk), kind, at, recorded_at, None if replaces is None else str(replaces),
                body, "", "",
            )
            for pk, kind, at, recorded_at, replaces, body in rows.iterator()
        ],
        policy_periods=policy_periods_for(course, ()),
        grades=[],
    )  # fmt: skip


def read_known_keys(system: ExternalSystem, course: Course) -> list[SourceKey]:
    """Read the last row of each key of a system on a course, in the order in which they came."""
    latest = SourceKey.objects.filter(system=system, course=course).order_by("key", "-id")
    rows = list(latest.distinct("key"))
    return sorted(rows, key=lambda row: row.pk)


def read_own_entries(system: ExternalSystem, course: Course) -> frozenset[str]:
    """Read the ids of the entries of a course that a system charted."""
    entries = Entry.objects.filter(
        course=course, act__source=ActSource.INTERFACE, recorded_by=system.user_id
    )
    return frozenset(map(str, entries.values_list("pk", flat=True)))


def read_local_codes(system: ExternalSystem, at: datetime) -> list[LocalCode]:
    """Read what the codes of a system mean at ``at``; a code that means nothing any more is not
    among them."""
    valid = LocalCode.objects.filter(system=system, valid_from__lte=at)
    latest = valid.order_by("coding_system", "code", "-valid_from", "-id")
    return [row for row in latest.distinct("coding_system", "code") if row.means]


def open_items(course: Course | None = None) -> QuerySet[HeldItem]:
    """Query the items that nobody has decided; of a course, or of all."""
    found = HeldItem.objects.filter(decision=None)
    return found if course is None else found.filter(course=course)


def open_items_of_keys(
    system: ExternalSystem, course: Course, keys: Sequence[str]
) -> QuerySet[HeldItem]:
    """Query the undecided items of a course that came from a system by one of these keys."""
    return open_items(course).filter(message__system=system, key__in=keys)


def read_by_interface(entry_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, ExternalSystem]:
    """Read the system whose message was charted in each entry; entries of people are left out."""
    rows = Entry.objects.filter(pk__in=list(entry_ids), act__message__isnull=False)
    rows = rows.annotate(system=F("act__message__system"))
    systems = ExternalSystem.objects.in_bulk()
    return {pk: systems[system] for pk, system in rows.values_list("pk", "system")}

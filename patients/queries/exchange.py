"""Read what is known of another system: its earlier messages, its keys, codes and entries."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from crs_app.second_machine import SQL_NEEDED, refusing_without
from patients.models import (
    ActSource,
    Course,
    Entry,
    ExternalSystem,
    HeldItem,
    InboundMessage,
    KeyStanding,
    LocalCode,
    Patient,
    SourceKey,
)
from patients.queries.courses import read_course_by_orm
from patients.queries.identity import read_kept_record, read_patient_by_mrn

_LOCK_OF_RECORD: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
_LOCK: Final = f"SELECT pg_advisory_xact_lock(hashtextextended(%s, 0)) WHERE {SQL_NEEDED}"


def read_systems() -> list[ExternalSystem]:
    """Read every other system, in order of names."""
    return list(ExternalSystem.objects.order_by("name"))


def read_system(system_id: int) -> ExternalSystem | None:
    """Read a system with the user who is its author; None where there is none with this key."""
    return ExternalSystem.objects.select_related("user").filter(pk=system_id).first()


def lock_control_id(system: ExternalSystem, control_id: str) -> None:
    """Wait for every other message of that name until the transaction ends.

    Raises SecondMachineAwayError: what a sender has an answer to is never lost.
    """
    with connection.cursor() as cursor, refusing_without():
        cursor.execute(_LOCK, [f"inbound message {system.pk} {control_id}"])


def lock_health_record(iss: str) -> None:
    """Wait for every other change of a health record that may launch until the transaction ends.

    Its rows are never changed, and one that is new has none yet: the lock is of its name.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_OF_RECORD, [f"health record {iss}"])


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


_SQL_ENTRIES: Final = """
SELECT CAST(json_agg(json_build_array(id, kind, at, recorded_at, replaces_id, body)
    ORDER BY at, recorded_at, place) AS text)
FROM patients_entry WHERE course_id = %s
"""
ROW_KEYS: Final = ("id", "kind", "at", "recorded_at", "replaces")
"""Keys of an entry in a course file that are columns of its row; the others are its body."""


def read_entries_in_words(course: Course) -> list[dict[str, Any]]:
    """Read every entry of a course in the words of the course file, in the engine's order."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL_ENTRIES, [course.pk])
        (text,) = cursor.fetchone()
    entries = []
    for *columns, body in json.loads(text or "[]", parse_float=Decimal):
        words = {**body, **dict(zip(ROW_KEYS, columns, strict=True))}
        if words["replaces"] is None:
            del words["replaces"]
        entries.append(words)
    return entries


_NEAR: Final = timedelta(minutes=30)
"""Statements of one set (signs of an instant, oxygen within a minute) are nearer than this."""
_SQL_KNOWN: Final = """
WITH named AS (
    SELECT key, at, entry_id FROM patients_sourcekey
    WHERE course_id = %(course)s AND system_id = %(system)s AND key = ANY(%(keys)s::text[])
), instant AS (
    SELECT at FROM named WHERE at IS NOT NULL
    UNION SELECT unnest(%(instants)s::timestamptz[])
), wanted AS (
    SELECT key FROM named
    UNION SELECT near.key FROM instant JOIN patients_sourcekey AS near
        ON near.course_id = %(course)s AND near.system_id = %(system)s
        AND near.at BETWEEN instant.at - %(near)s AND instant.at + %(near)s
    UNION SELECT sibling.key FROM named JOIN patients_sourcekey AS sibling
        ON sibling.entry_id = named.entry_id AND sibling.system_id = %(system)s
    UNION SELECT running.key FROM patients_sourcekey AS running
        WHERE running.course_id = %(course)s AND running.system_id = %(system)s
        AND running.of_infusion
)
SELECT one.key, one.version, one.entry_id, one.state, CAST(one.statement AS text)
FROM patients_sourcekey AS one
WHERE one.course_id = %(course)s AND one.system_id = %(system)s
    AND one.key IN (SELECT key FROM wanted)
ORDER BY one.id
"""


class KnownKeyRow(NamedTuple):
    """A key of a system as it came in one message; ``statement`` is JSON, None without one."""

    key: str
    version: str | None
    entry: str | None
    state: str
    statement: Any


def read_known_keys(
    system: ExternalSystem, course: Course, keys: Iterable[str], instants: Iterable[datetime]
) -> list[KnownKeyRow]:
    """Read every row of the keys that a document can touch, in the order in which they came.

    They are those of ``keys``, what is charted with them or near them or near ``instants``, and all
    infusions. A monitor sends new keys every minute: all of them would be too many.
    """
    params: dict[str, Any] = {
        "course": course.pk,
        "system": system.pk,
        "keys": list(keys),
        "instants": [one.isoformat() for one in sorted(set(instants))],
        "near": _NEAR,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL_KNOWN, params)
        return [
            KnownKeyRow(
                key, version, None if entry is None else str(entry), state,
                None if statement is None else json.loads(statement),
            )
            for key, version, entry, state, statement in cursor.fetchall()
        ]  # fmt: skip


class SignsRow(NamedTuple):
    """Signs of a system at an instant, by the field of the course file, and what became of them."""

    at: datetime
    state: str
    values: Mapping[str, str]


def read_signs_within(
    system: ExternalSystem, course: Course, start: datetime, end: datetime
) -> list[SignsRow]:
    """Read the signs of [``start``, ``end``) that a system sent, charted or not."""
    rows = SourceKey.objects.filter(
        system=system,
        course=course,
        at__gte=start,
        at__lt=end,
        state__in=(KeyStanding.CHARTED, KeyStanding.ASIDE),
        statement__type="signs",
    )
    found = rows.order_by("id").values_list("at", "state", "statement__values")
    return [SignsRow(at, state, values) for at, state, values in found if at is not None]


_SQL_THINNED: Final = """
SELECT latest.id, remark ->> 'place', CAST(remark ->> 'at' AS timestamptz),
    CAST(remark ->> 'alone' AS boolean)
FROM (
    SELECT id, remarks FROM patients_inboundmessage
    WHERE course_id = %(course)s AND system_id = %(system)s
    ORDER BY received_at DESC LIMIT %(messages)s
) AS latest CROSS JOIN LATERAL jsonb_array_elements(latest.remarks) AS remark
WHERE remark ->> 'reason' = 'thinned' AND remark ->> 'at' IS NOT NULL
"""


class ThinnedRow(NamedTuple):
    """A sign of a set that was thinned out; not ``is_alone``: it is proposed until the mark."""

    message: uuid.UUID
    place: str
    at: datetime
    is_alone: bool


def read_thinned(system: ExternalSystem, course: Course, messages: int) -> list[ThinnedRow]:
    """Read what was thinned out of the newest messages of a system about a course."""
    params: dict[str, Any] = {
        "course": course.pk,
        "system": system.pk,
        "messages": messages,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL_THINNED, params)
        return [ThinnedRow(*row) for row in cursor.fetchall()]


_SQL_SILENT: Final = """
SELECT course_id FROM patients_inboundmessage
WHERE system_id = %(system)s AND received_at > %(since)s AND course_id IS NOT NULL
GROUP BY course_id
HAVING max(received_at) < %(mark)s
    AND bool_or(remarks @> '[{"reason": "thinned", "alone": true}]')
"""


def courses_silent_since(
    system: ExternalSystem, mark: datetime, since: datetime
) -> list[uuid.UUID]:
    """Read the courses of which a set was thinned out after ``since`` and nothing came since
    ``mark``."""
    params: dict[str, Any] = {"system": system.pk, "mark": mark, "since": since}
    with connection.cursor() as cursor:
        cursor.execute(_SQL_SILENT, params)
        return [course_id for (course_id,) in cursor.fetchall()]


_SQL_TAPPED: Final = """
WITH tapped AS (
    SELECT DISTINCT decision.act_id FROM patients_helditem AS item
    JOIN patients_helddecision AS decision ON decision.item_id = item.id
    JOIN patients_inboundmessage AS message ON message.id = item.message_id
    WHERE item.course_id = %(course)s AND message.system_id = %(system)s
        AND item.key = ANY(%(keys)s::text[]) AND decision.act_id IS NOT NULL
), whole AS (
    SELECT act_id, count(DISTINCT item.key) AS keys,
        (SELECT array_agg(CAST(entry.id AS text) ORDER BY place) FROM patients_entry AS entry
            WHERE entry.act_id = tapped.act_id) AS entries
    FROM tapped JOIN patients_helddecision AS decision USING (act_id)
    JOIN patients_helditem AS item ON item.id = decision.item_id
    GROUP BY act_id
)
SELECT item.key, whole.entries, whole.keys FROM whole
JOIN patients_helddecision AS decision USING (act_id)
JOIN patients_helditem AS item ON item.id = decision.item_id
WHERE item.key = ANY(%(keys)s::text[]) AND whole.entries IS NOT NULL
ORDER BY decision.id
"""


class TappedRow(NamedTuple):
    """A key whose item people charted: their entries, and of how many keys these are."""

    key: str
    entries: list[str]
    keys: int


def read_tapped(system: ExternalSystem, course: Course, keys: Iterable[str]) -> list[TappedRow]:
    """Read what people charted of the items with these keys, in the order of their taps."""
    params: dict[str, Any] = {"course": course.pk, "system": system.pk, "keys": list(keys)}
    with connection.cursor() as cursor:
        cursor.execute(_SQL_TAPPED, params)
        return [TappedRow(*row) for row in cursor.fetchall()]


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

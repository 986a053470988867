"""A ward of courses of chosen lengths, copied into the database in bulk and graded once."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from bench.client import PASSWORD, USERNAME
from bench.courses import Charted, charted, instants
from crs_app.accounts.models import Role
from crs_app.accounts.wards import set_wards
from grading.service import regrade
from grading.systems import HEADLINE
from patients.models import (
    ActSource,
    Course,
    GradeCheckpoint,
    GradePeriod,
    Move,
)
from patients.queries.entries import EntryRow, course_facts, parse_entries
from patients.recording.admit import Admission, admit_patient
from patients.recording.inputs import Submission
from patients.ward.transfer import TransferRequest, location_token, record_transfer

_CHARTED_AFTER: Final = timedelta(minutes=2)
# What is saved under measurement follows minute by minute, and must not reach the present.
_LAST_BEFORE_NOW: Final = timedelta(days=10)
_ROWS_AT_ONCE: Final = 2000
_ACT_COLUMNS: Final = (
    "id", "course_id", "form_id", "recorded_at", "received_at", "recorded_by_id", "source",
    "answers", "request_digest",
)  # fmt: skip
_ENTRY_COLUMNS: Final = (
    "id", "course_id", "kind", "at", "recorded_at", "recorded_by_id", "act_id", "place",
    "replaces_id", "body",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Loaded:
    """A stored course, and the time of its infusion and of its last entry."""

    course_id: uuid.UUID
    infused_at: datetime
    last_at: datetime
    size: int


def nurse() -> Any:
    """Create the nurse who charts."""
    return get_user_model().objects.create_user(
        USERNAME, password=PASSWORD, first_name="Jo", last_name="Ruiz", role=Role.WARD_CLINICIAN
    )


def load(sizes: Sequence[int], by: Any, step: Callable[[], None]) -> list[Loaded]:
    """Store a course of each of ``sizes``; ``step`` is called after each."""
    template = _admitted(by)
    found = []
    for place, size in enumerate(sizes):
        found.append(_load_one(template, size, by, place))
        step()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return found


def _admitted(by: Any) -> Course:
    """Admit one course by the application, and end it; the others copy its product and policy."""
    now = timezone.now()
    admission = Admission(
        mrn="BENCH",
        name="TEMPLATE, Bench",
        sex="female",
        product="axicabtagene ciloleucel",
        infused_at=now,
        ward="Bench",
        birth_date=date(1970, 3, 1),
    )
    course = admit_patient(admission, [], Submission(by=by, form_id=uuid.uuid4())).course
    set_wards(by, [course.on_ward])
    end = TransferRequest(Move.ENDED, timezone.now(), location_token(course))
    record_transfer(course, end, Submission(by=by, form_id=uuid.uuid4()))
    return course


@transaction.atomic
def _load_one(template: Course, size: int, by: Any, place: int) -> Loaded:
    entries = charted(size)
    present = timezone.now().replace(second=0, microsecond=0)
    infused_at = present - _LAST_BEFORE_NOW - entries[-1].after
    patient = template.patient.__class__.objects.create(
        mrn=f"BENCH-{place:05}",
        name=f"BENCH, Patient {place:03}",
        birth_date=date(1970, 3, 1),
        sex="female",
    )
    course = Course.objects.create(
        patient=patient,
        product=template.product,
        infused_at=infused_at,
        policy=template.policy,
        ward="Bench",
        on_ward=template.on_ward,
        bed=str(place),
        admitted_at=infused_at,
        admitted_by=by,
    )
    rows = list(_rows(course, entries, by))
    _copy("patients_chartingact", _ACT_COLUMNS, _acts(rows))
    _copy("patients_entry", _ENTRY_COLUMNS, (row for row, _ in rows))
    _grade(course, [_as_read(row) for row, _ in rows], rows[-1][0][4])
    return Loaded(course.pk, infused_at, infused_at + entries[-1].after, size)


def _rows(
    course: Course, entries: Sequence[Charted], by: Any
) -> Iterator[tuple[tuple[Any, ...], uuid.UUID]]:
    """Yield each entry's columns and the form id of its act."""
    for together in instants(entries):
        act, form, at = uuid.uuid4(), uuid.uuid4(), course.infused_at + together[0].after
        recorded_at = at + _CHARTED_AFTER
        for place, entry in enumerate(together):
            body = json.dumps(entry.body)
            columns = (uuid.uuid4(), course.pk, entry.kind, at, recorded_at, by.pk, act)
            yield (*columns, place, None, body), form


def _acts(rows: Sequence[tuple[tuple[Any, ...], uuid.UUID]]) -> Iterator[tuple[Any, ...]]:
    for row, form in rows:
        _, course, _, _, recorded_at, by, act, place, *_ = row
        if place == 0:
            source = ActSource.BEDSIDE.value
            yield act, course, form, recorded_at, recorded_at, by, source, "{}", ""


def _copy(table: str, columns: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor:
        statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
        with cursor.cursor.copy(statement) as target:
            for row in rows:
                target.write_row(row)


def _as_read(row: tuple[Any, ...]) -> EntryRow:
    pk, _, kind, at, recorded_at, _, _, _, _, body = row
    return EntryRow(
        pk=pk,
        kind=kind,
        at=at,
        recorded_at=recorded_at,
        replaces_id=None,
        body=body,
        username=USERNAME,
        first_name="Jo",
        last_name="Ruiz",
    )


def _grade(course: Course, rows: Sequence[EntryRow], recorded_at: datetime) -> None:
    """Store the history and checkpoints, and for each period a superseded one."""
    graded = regrade(course_facts(course), parse_entries(rows), now=None)
    periods = []
    for period in graded.periods:
        valid = DateTimeTZRange(period.start, period.end)
        findings = period.findings_json()
        before = min(recorded_at, max(period.start, course.infused_at + _CHARTED_AFTER))
        for known in ((before, recorded_at), (recorded_at, None)):
            if known[0] != known[1]:
                periods.append(
                    GradePeriod(
                        course=course,
                        system=HEADLINE.key,
                        valid=valid,
                        known=DateTimeTZRange(*known),
                        grade=period.grade,
                        at_most=period.at_most,
                        findings=findings,
                        ruleset_version=HEADLINE.version,
                        policy_id=course.policy_id,
                    )
                )
    GradePeriod.objects.bulk_create(periods, batch_size=_ROWS_AT_ONCE)
    GradeCheckpoint.objects.bulk_create(
        (
            GradeCheckpoint(
                course=course,
                system=checkpoint.system,
                at=checkpoint.at,
                ruleset_version=checkpoint.version,
                state=checkpoint.state,
                holds_other_scales=checkpoint.holds_other_scales,
            )
            for checkpoint in graded.checkpoints
        ),
        batch_size=_ROWS_AT_ONCE,
    )

"""The one INSERT statement of a save: an act, its entries, and what they change in the history."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

from grading.engine.checkpoint import Checkpoint
from grading.engine.grading_system import GradingSystem
from patients.models import ChartingAct, Course, CoursePolicy, Entry, GradeCheckpoint
from patients.queries.grades import GradePeriodRow
from patients.queries.policies import PolicyPeriod


@dataclass(frozen=True, slots=True)
class HistoryChanges:
    """What an act changes in the history of its course by one grading system.

    ``closed`` are periods known until the act, ``opened`` those known from it on. ``checkpoints``
    are new; stored ones after ``dropped_after`` are deleted (None keeps all).
    """

    system: GradingSystem
    closed: Sequence[GradePeriodRow]
    opened: Sequence[GradePeriodRow]
    checkpoints: Sequence[Checkpoint]
    dropped_after: datetime | None

    @property
    def is_empty(self) -> bool:
        """Whether history and checkpoints stay as they are."""
        changes = self.closed or self.opened or self.checkpoints
        return not changes and self.dropped_after is None


SQL_INSERT_ACT: Final = """
INSERT INTO patients_chartingact (id, course_id, form_id, recorded_at, received_at, recorded_by_id,
    source, answers, request_digest, author_name, author_role, message_id)
VALUES (%(id)s, %(course)s, %(form)s, %(recorded_at)s, %(received_at)s, %(by)s, %(source)s,
    %(answers)s::jsonb, %(digest)s, %(author_name)s, %(author_role)s, %(message)s)
"""
SQL_INSERT_ENTRIES: Final = """
INSERT INTO patients_entry (id, course_id, kind, at, recorded_at, recorded_by_id, act_id, place,
    replaces_id, body)
SELECT new.id, %(course)s, new.kind, new.at, %(recorded_at)s, %(by)s, %(id)s, new.place,
    new.replaces_id, new.body
FROM jsonb_to_recordset(%(entries)s::jsonb) AS new(
    id uuid, kind text, at timestamptz, place smallint, replaces_id uuid, body jsonb)
"""
SQL_WRITE_ACT: Final = f"WITH act AS ({SQL_INSERT_ACT}) {SQL_INSERT_ENTRIES}"
# The joins with count(*) order the steps: an open period may not overlap its successor, so rows are
# closed before others are inserted; likewise checkpoints of one instant.
SQL_WRITE_ACT_AND_HISTORY: Final = f"""
WITH act AS ({SQL_INSERT_ACT}), entry AS ({SQL_INSERT_ENTRIES}), closed AS (
    UPDATE patients_gradeperiod SET known = tstzrange(lower(known), %(recorded_at)s)
    WHERE id = ANY(%(closed)s) RETURNING id
), dropped AS (
    DELETE FROM patients_gradecheckpoint
    WHERE course_id = %(course)s AND system = %(system)s
        AND at > %(dropped_after)s::timestamptz RETURNING id
), checkpoint AS (
    INSERT INTO patients_gradecheckpoint (course_id, system, at, ruleset_version, state,
        holds_other_scales)
    SELECT %(course)s, %(system)s, new.at, %(version)s, new.state, new.holds_other_scales
    FROM (SELECT count(*) FROM dropped) AS first, jsonb_to_recordset(%(checkpoints)s::jsonb)
        AS new(at timestamptz, state jsonb, holds_other_scales boolean)
)
INSERT INTO patients_gradeperiod (course_id, system, valid, known, grade, at_most, findings,
    ruleset_version, policy_id)
SELECT %(course)s, %(system)s, tstzrange(new.starts, new.ends),
    tstzrange(%(recorded_at)s, NULL), new.grade, new.at_most, new.findings,
    new.ruleset_version, new.policy_id
FROM (SELECT count(*) FROM closed) AS first, jsonb_to_recordset(%(periods)s::jsonb) AS new(
    starts timestamptz, ends timestamptz, grade smallint,
    at_most smallint, findings jsonb, ruleset_version text, policy_id bigint)
"""  # noqa: S608 - constants


def write_act(act: ChartingAct, entries: Sequence[Entry], changes: HistoryChanges) -> None:
    """Insert ``act``, its ``entries`` and the ``changes`` of the history, in one statement.

    Entries have the course, author and recording time of the act. Periods are closed at that time,
    never deleted.
    """
    params: dict[str, Any] = {
        "id": act.pk,
        "course": act.course_id,
        "form": act.form_id,
        "recorded_at": act.recorded_at,
        "received_at": act.received_at,
        "by": act.recorded_by_id,
        "source": act.source,
        "answers": json.dumps(act.answers),
        "digest": act.request_digest,
        "author_name": act.author_name,
        "author_role": act.author_role,
        "message": act.message_id,
        "entries": json.dumps([_entry_params(entry) for entry in entries]),
    }
    statement = SQL_WRITE_ACT
    if not changes.is_empty:
        statement = SQL_WRITE_ACT_AND_HISTORY
        params |= _history_params(changes)
    with connection.cursor() as cursor:
        cursor.execute(statement, params)


def replace_checkpoints(course: Course, changes: HistoryChanges) -> None:
    """Store the checkpoints of ``changes`` in the place of all others of their grading system.

    A checkpoint is a cache: it needs no act, and the history stays as it is.
    """
    system = changes.system
    GradeCheckpoint.objects.filter(course=course, system=system.key).delete()
    GradeCheckpoint.objects.bulk_create(
        GradeCheckpoint(
            course=course,
            system=system.key,
            ruleset_version=system.version,
            at=checkpoint.at,
            state=checkpoint.state,
            holds_other_scales=checkpoint.holds_other_scales,
        )
        for checkpoint in changes.checkpoints
    )


def _entry_params(entry: Entry) -> dict[str, Any]:
    return {
        "id": str(entry.pk),
        "kind": entry.kind,
        "at": entry.at.isoformat(),
        "place": entry.place,
        "replaces_id": None if entry.replaces_id is None else str(entry.replaces_id),
        "body": entry.body,
    }


def _history_params(changes: HistoryChanges) -> Mapping[str, Any]:
    checkpoints = [
        {
            "at": one.at.isoformat(),
            "state": one.state,
            "holds_other_scales": one.holds_other_scales,
        }
        for one in changes.checkpoints
    ]
    return {
        "system": changes.system.key,
        "version": changes.system.version,
        "dropped_after": changes.dropped_after,
        "checkpoints": json.dumps(checkpoints),
        "closed": [row.id for row in changes.closed],
        "periods": json.dumps([_period_params(row) for row in changes.opened]),
    }


def _period_params(row: GradePeriodRow) -> dict[str, Any]:
    return {
        "starts": row.start.isoformat(),
        "ends": None if row.end is None else row.end.isoformat(),
        "grade": row.grade,
        "at_most": row.at_most,
        "findings": row.findings,
        "ruleset_version": row.ruleset_version,
        "policy_id": row.policy_id,
    }


def write_policy_periods(act: ChartingAct, decided: Sequence[PolicyPeriod]) -> None:
    """Store the policy periods that ``act`` adds to those of its course, which may be none."""
    if decided:
        CoursePolicy.objects.bulk_create(
            CoursePolicy(
                course_id=act.course_id,
                act=act,
                version_id=period.version_id,
                valid_from=period.valid_from,
                site_policy_id=period.site_policy_id,
            )
            for period in decided
        )

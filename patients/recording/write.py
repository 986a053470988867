"""The one INSERT statement of a save: an act, its entries, and what they change in the history."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

from grading.engine.checkpoint import Checkpoint
from grading.engine.systems.lee_2014 import RULESET, RULESET_VERSION
from patients.models import ChartingAct, Entry
from patients.queries.grades import GradePeriodRow


@dataclass(frozen=True, slots=True)
class HistoryChanges:
    """What an act changes in the history of its course.

    ``closed`` are rows of it that hold no more, ``opened`` those in their place; ``checkpoints``
    are new, those after ``dropped_after`` go (None keeps all).
    """

    closed: Sequence[GradePeriodRow]
    opened: Sequence[GradePeriodRow]
    checkpoints: Sequence[Checkpoint]
    dropped_after: datetime | None

    @property
    def is_empty(self) -> bool:
        """Whether all stays as it was."""
        changes = self.closed or self.opened or self.checkpoints
        return not changes and self.dropped_after is None


_ACT: Final = """
INSERT INTO patients_chartingact (id, course_id, form_id, recorded_at, received_at, recorded_by_id,
    source, answers, request_digest)
VALUES (%(id)s, %(course)s, %(form)s, %(recorded_at)s, %(received_at)s, %(by)s, %(source)s,
    %(answers)s::jsonb, %(digest)s)
"""
_ENTRIES: Final = """
INSERT INTO patients_entry (id, course_id, kind, at, recorded_at, recorded_by_id, act_id, place,
    replaces_id, body)
SELECT said.id, %(course)s, said.kind, said.at, %(recorded_at)s, %(by)s, %(id)s, said.place,
    said.replaces_id, said.body
FROM jsonb_to_recordset(%(entries)s::jsonb) AS said(
    id uuid, kind text, at timestamptz, place smallint, replaces_id uuid, body jsonb)
"""
_CHARTED: Final = f"WITH act AS ({_ACT}) {_ENTRIES}"
# The join makes what is closed come first: an open row may not overlap its successor. So it does
# for checkpoints that are stored anew for the same instant.
_CHARTED_AND_REVISED: Final = f"""
WITH act AS ({_ACT}), entry AS ({_ENTRIES}), closed AS (
    UPDATE patients_gradeperiod SET known = tstzrange(lower(known), %(recorded_at)s)
    WHERE id = ANY(%(closed)s) RETURNING id
), dropped AS (
    DELETE FROM patients_gradecheckpoint
    WHERE course_id = %(course)s AND at > %(dropped_after)s::timestamptz RETURNING id
), put_away AS (
    INSERT INTO patients_gradecheckpoint (course_id, at, ruleset_version, state)
    SELECT %(course)s, said.at, said.ruleset_version, said.state
    FROM (SELECT count(*) FROM dropped) AS first, jsonb_to_recordset(%(checkpoints)s::jsonb)
        AS said(at timestamptz, ruleset_version text, state jsonb)
)
INSERT INTO patients_gradeperiod (course_id, system, valid, known, grade, at_most, findings,
    ruleset_version, policy_id)
SELECT %(course)s, said.system, tstzrange(said.starts, said.ends),
    tstzrange(%(recorded_at)s, NULL), said.grade, said.at_most, said.findings,
    said.ruleset_version, said.policy_id
FROM (SELECT count(*) FROM closed) AS first, jsonb_to_recordset(%(periods)s::jsonb) AS said(
    system text, starts timestamptz, ends timestamptz, grade smallint,
    at_most smallint, findings jsonb, ruleset_version text, policy_id bigint)
"""  # noqa: S608 - constants


def write_act(act: ChartingAct, entries: Sequence[Entry], revision: HistoryChanges) -> None:
    """Insert ``act`` with its ``entries``, which share its course, author and recording time.

    What it changes in the history is known from that time on: of what was known before, rows are
    closed, never lost.
    """
    said: dict[str, Any] = {
        "id": act.pk,
        "course": act.course_id,
        "form": act.form_id,
        "recorded_at": act.recorded_at,
        "received_at": act.received_at,
        "by": act.recorded_by_id,
        "source": act.source,
        "answers": json.dumps(act.answers),
        "digest": act.request_digest,
        "entries": json.dumps([_entry_params(entry) for entry in entries]),
    }
    statement = _CHARTED
    if not revision.is_empty:
        statement = _CHARTED_AND_REVISED
        said |= {
            "dropped_after": revision.dropped_after,
            "checkpoints": json.dumps([_checkpoint_params(each) for each in revision.checkpoints]),
            "closed": [row.id for row in revision.closed],
            "periods": json.dumps([_period_params(row) for row in revision.opened]),
        }
    with connection.cursor() as cursor:
        cursor.execute(statement, said)


def _entry_params(entry: Entry) -> dict[str, Any]:
    return {
        "id": str(entry.pk),
        "kind": entry.kind,
        "at": entry.at.isoformat(),
        "place": entry.place,
        "replaces_id": None if entry.replaces_id is None else str(entry.replaces_id),
        "body": entry.body,
    }


def _checkpoint_params(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "at": checkpoint.at.isoformat(),
        "ruleset_version": RULESET_VERSION,
        "state": checkpoint.state,
    }


def _period_params(row: GradePeriodRow) -> dict[str, Any]:
    return {
        "system": RULESET,
        "starts": row.start.isoformat(),
        "ends": None if row.end is None else row.end.isoformat(),
        "grade": row.grade,
        "at_most": row.at_most,
        "findings": row.findings,
        "ruleset_version": row.ruleset_version,
        "policy_id": row.policy_id,
    }

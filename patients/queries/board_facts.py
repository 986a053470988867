"""Read what the ward board shows of courses apart from their names, by one statement."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from django.db import connection

from grading.engine.algorithm import REASSESS
from grading.engine.entries import Capd, Entry, Ice, Risk, Treatment
from grading.engine.facts import CourseFacts
from grading.engine.grading_system import GradingSystem
from grading.engine.policy import PARAMETERS, Policy, policy_from
from grading.engine.times import in_zone
from grading.engine.vocabulary import TreatmentAgent, VasopressorDrug
from patients.models import EntryKind
from patients.queries.assessed import sql_assessed_since
from patients.queries.entries import parse_charted, sql_not_replaced
from patients.queries.grades import sql_known_now, sql_start_of_period
from patients.queries.guidance_answers import SQL_ANSWERS_AS_JSON, AnswerRow, parse_answers

_NO_OBSERVATION: Final = (
    EntryKind.RETRACTION,
    EntryKind.BASELINE,
    EntryKind.RISK,
    EntryKind.NOTE,
    EntryKind.NOT_OBSERVED,
    EntryKind.ADMISSION,
)
_DRUGS: Final = [drug.value for drug in VasopressorDrug]
_DUE: Final = tuple(
    name
    for name in PARAMETERS
    if name.startswith(("observations_due_", "ice_due_")) or name == "icans_capd_below_years"
)
"""The parameters of the policy that the board needs."""

_COLUMNS: Final = (
    "json_build_array({0}.id, {0}.kind, {0}.at, {0}.recorded_at, {0}.replaces_id, {0}.body::text)"
)
"""Columns of an entry, for ``parse_charted``."""

# Periods are found by the index on starts, course by course: by their ends, PostgreSQL would read
# every period. The last set of a sign, the latest oxygen and the latest rate of each drug are one
# look into an index for each.
SQL_BOARD_FACTS: Final = (
    """
SELECT course.id, (
    SELECT entry.at FROM patients_entry AS entry
    WHERE course_id = course.id AND at <= %(now)s AND kind <> ALL(%(no_observation)s::text[])
        AND {entry_in_force}
    ORDER BY at DESC LIMIT 1
), (
    SELECT entry.at FROM patients_entry AS entry
    WHERE course_id = course.id AND at <= %(now)s AND kind = 'vitals'
        AND body ?| ARRAY['temperature_c', 'temperature_f'] AND {entry_in_force}
    ORDER BY at DESC LIMIT 1
), (
    SELECT entry.at FROM patients_entry AS entry
    WHERE course_id = course.id AND at <= %(now)s AND kind = 'vitals'
        AND body ?| ARRAY['systolic_mmhg', 'mean_arterial_pressure_mmhg'] AND {entry_in_force}
    ORDER BY at DESC LIMIT 1
), {assessed_since}, (
    SELECT CAST(json_agg(json_build_array(lower(valid), upper(valid), grade, at_most, findings,
        policy_id) ORDER BY lower(valid)) AS text)
    FROM patients_gradeperiod
    WHERE course_id = course.id AND system = %(system)s AND {known_now}
        AND (upper_inf(valid) OR upper(valid) > %(now)s)
        AND lower(valid) >= coalesce({start_at_now}, '-infinity')
), (
    SELECT CAST(jsonb_object_agg(version.id, json_build_array({due})) AS text)
    FROM patients_policyversion AS version
    WHERE version.id IN (
        SELECT policy_id FROM patients_gradeperiod
        WHERE course_id = course.id AND system = %(system)s AND {known_now}
            AND lower(valid) >= coalesce({start_at_now}, '-infinity')
    )
), (
    SELECT CAST(json_agg({entry_columns} ORDER BY entry.kind, entry.at) AS text) FROM ((
        SELECT * FROM patients_entry AS oxygen
        WHERE course_id = course.id AND kind = 'oxygen' AND at <= %(now)s AND {oxygen_in_force}
        ORDER BY at DESC, recorded_at DESC, place DESC LIMIT 1
    ) UNION ALL (
        SELECT latest.* FROM unnest(CASE WHEN EXISTS (
            SELECT FROM patients_entry WHERE course_id = course.id AND kind = 'vasopressor'
        ) THEN %(drugs)s::text[] END) AS drug, LATERAL (
            SELECT * FROM patients_entry AS dose
            WHERE course_id = course.id AND kind = 'vasopressor'
                AND body ->> 'drug' = drug AND at <= %(now)s AND {dose_in_force}
            ORDER BY at DESC, recorded_at DESC, place DESC LIMIT 1
        ) AS latest
    ) UNION ALL (
        SELECT latest.* FROM unnest(%(rounds)s::text[]) AS tool, LATERAL (
            SELECT * FROM patients_entry AS round
            WHERE course_id = course.id AND kind = tool AND at <= %(now)s
                AND at >= course.infused_at AND {round_in_force}
            ORDER BY at DESC, recorded_at DESC, place DESC LIMIT 1
        ) AS latest
    )) AS entry
), (
    SELECT CAST(json_agg({entry_columns} ORDER BY entry.at, entry.recorded_at, entry.place) AS text)
    FROM patients_entry AS entry
    WHERE course_id = course.id AND kind IN ('risk', 'treatment') AND at <= %(now)s
        AND (kind = 'risk' OR body ->> 'agent' = %(tocilizumab)s) AND {entry_in_force}
), (
    SELECT {answer} FROM (
        SELECT * FROM patients_guidanceanswer
        WHERE course_id = course.id AND code = %(reassess)s ORDER BY recorded_at DESC LIMIT 1
    ) AS answer JOIN accounts_user AS author ON author.id = answer.recorded_by_id
), course.infused_at, course.infused_offset_seconds, course.age_years, patient.birth_date,
    patient.developmental_delay
FROM unnest(%(courses)s::uuid[]) AS wanted (id)
JOIN patients_course AS course ON course.id = wanted.id
JOIN patients_patient AS patient ON patient.id = course.patient_id
""".replace(
        "{assessed_since}", sql_assessed_since(course="course.id", infused_at="course.infused_at")
    )
    .replace("{start_at_now}", sql_start_of_period("<= %(now)s", course="course.id"))
    .replace("{known_now}", sql_known_now())
    .replace("{due}", ", ".join(f"version.values -> '{name}'" for name in _DUE))
    .replace("{entry_columns}", _COLUMNS.format("entry"))
    .replace("{answer}", SQL_ANSWERS_AS_JSON)
    .replace("{entry_in_force}", sql_not_replaced("entry"))
    .replace("{oxygen_in_force}", sql_not_replaced("oxygen"))
    .replace("{dose_in_force}", sql_not_replaced("dose"))
    .replace("{round_in_force}", sql_not_replaced("round"))
)


@dataclass(frozen=True, slots=True)
class Period:
    """A grade over [``start``, ``end``) with its findings; ``end`` None is open."""

    start: datetime
    end: datetime | None
    grade: int
    at_most: int
    findings: Mapping[str, Any]
    policy: Policy


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """What is charted of a course, for its row on the board, as of one instant.

    ``temperature_at`` and ``pressure_at`` are the times of the latest of each sign.
    ``assessed_since`` is from when on a grade 0 is known. ``periods`` are the one in force and
    those to come. ``support`` are the latest oxygen and the latest rate of each vasopressor;
    ``risks`` the answers to risk questions, ``doses`` those of tocilizumab, both in order of time.
    ``answer`` is the latest to the question how the patient is 24 h after tocilizumab.
    ``rounds`` are the latest ICE and CAPD by their kind, ``patient`` what decides between the two.
    """

    last_observation_at: datetime | None
    temperature_at: datetime | None
    pressure_at: datetime | None
    assessed_since: datetime | None
    periods: Sequence[Period]
    support: Sequence[Entry]
    risks: Sequence[Risk]
    doses: Sequence[Treatment]
    answer: AnswerRow | None
    rounds: Mapping[str, Entry]
    patient: CourseFacts


def read_board_facts(
    course_ids: Iterable[uuid.UUID], now: datetime, system: GradingSystem
) -> dict[uuid.UUID, BoardFacts]:
    """Read the facts of courses at ``now``, by their ids."""
    params: dict[str, Any] = {
        "courses": list(course_ids),
        "now": now,
        "system": system.key,
        "no_observation": [kind.value for kind in _NO_OBSERVATION],
        "drugs": _DRUGS,
        "rounds": [EntryKind.ICE.value, EntryKind.CAPD.value],
        "tocilizumab": TreatmentAgent.TOCILIZUMAB.value,
        "reassess": REASSESS,
    }
    with connection.cursor() as cursor:
        cursor.execute(SQL_BOARD_FACTS, params)
        return {course_id: _facts(*columns) for course_id, *columns in cursor.fetchall()}


def _facts(
    last_observation_at: datetime | None,
    temperature_at: datetime | None,
    pressure_at: datetime | None,
    assessed_since: datetime | None,
    periods: str | None,
    policies: str | None,
    support: str | None,
    charted: str | None,
    answer: str | None,
    infused_at: datetime,
    offset_seconds: int,
    age_years: Decimal | None,
    birth_date: date | None,
    developmental_delay: bool | None,
) -> BoardFacts:
    due = json.loads(policies or "{}")
    entries, lasting = parse_charted(charted), parse_charted(support)
    there = in_zone(infused_at, timezone(timedelta(seconds=offset_seconds)))
    return BoardFacts(
        last_observation_at,
        temperature_at,
        pressure_at,
        assessed_since,
        [
            Period(
                datetime.fromisoformat(start),
                None if end is None else datetime.fromisoformat(end),
                grade,
                at_most,
                findings,
                _policy(tuple(due[str(policy_id)])),
            )
            for start, end, grade, at_most, findings, policy_id in json.loads(periods or "[]")
        ],
        [entry for entry in lasting if not isinstance(entry, Ice | Capd)],
        [entry for entry in entries if isinstance(entry, Risk)],
        [entry for entry in entries if isinstance(entry, Treatment)],
        next(iter(parse_answers(answer)), None),
        {entry.kind: entry for entry in lasting if isinstance(entry, Ice | Capd)},
        CourseFacts(there, birth_date, age_years, developmental_delay=developmental_delay),
    )


@lru_cache(maxsize=64)
def _policy(values: tuple[int | None, ...]) -> Policy:
    """Return a policy with these minutes; a version stored before there were such has None."""
    stored = zip(_DUE, values, strict=True)
    return policy_from({name: value for name, value in stored if value is not None})

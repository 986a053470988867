"""What a look at a course is computed from, read in one statement from its last checkpoint on."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import connection

from grading.engine.checkpoint import ResumePoint
from grading.engine.systems.lee_2014 import RULESET_VERSION
from patients.answers import LATEST, AnswerRow, answers_from
from patients.chart import FROM_CHECKPOINT, EntryRow, reread, rows_from
from patients.models import Course
from patients.policy import DECIDED, Ruling, rulings_for, rulings_from

_QUERY: Final = (
    """
SELECT resume.at, resume.state, ({entries}), ({decided}), ({answers})
FROM (SELECT 1) AS one LEFT JOIN LATERAL (
    SELECT at, state FROM patients_gradecheckpoint
    WHERE course_id = %(course)s AND ruleset_version = %(ruleset_version)s AND at <= %(now)s
    ORDER BY at DESC LIMIT 1
) AS resume ON true
""".replace("{entries}", FROM_CHECKPOINT)
    .replace("{decided}", DECIDED)
    .replace("{answers}", LATEST)
)


class Resumed(NamedTuple):
    """A course from ``resume`` on, from its start where there is no checkpoint.

    ``in_force`` and ``for_guidance`` are entries as ``chart.reread`` tells them apart; ``rulings``
    are what it is graded under, ``answers`` the latest to each item of guidance by its code.
    """

    resume: ResumePoint | None
    in_force: list[EntryRow]
    for_guidance: list[EntryRow]
    rulings: list[Ruling]
    answers: dict[str, AnswerRow]


def resumed(course: Course, now: datetime) -> Resumed:
    """What ``course`` is looked at with at ``now``: from the last checkpoint up to then."""
    said: dict[str, Any] = {
        "course": course.pk,
        "infused_at": course.infused_at,
        "now": now,
        "ruleset_version": RULESET_VERSION,
    }
    with connection.cursor() as cursor:
        cursor.execute(_QUERY, said)
        at, state, entries, decided, answers = cursor.fetchone()
    in_force, for_guidance = reread(course, rows_from(entries), after=at)
    return Resumed(
        resume=None if at is None else ResumePoint(at, state),
        in_force=in_force,
        for_guidance=for_guidance,
        rulings=rulings_for(course, rulings_from(decided)),
        answers=answers_from(answers),
    )

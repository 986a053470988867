"""Read what was recorded on a course after an instant."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import NamedTuple

from django.db import connection


class RecordedSince(NamedTuple):
    """How many entries were recorded, and when the last of them; None where there are none."""

    entries: int
    last_at: datetime | None


def read_recorded_since(course_id: uuid.UUID, instant: datetime) -> RecordedSince:
    """Count the entries, corrections and retractions recorded after ``instant``."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
SELECT count(entry.id), max(act.recorded_at)
FROM patients_chartingact AS act JOIN patients_entry AS entry ON entry.act_id = act.id
WHERE act.course_id = %(course)s AND act.recorded_at > %(instant)s
""",
            {"course": course_id, "instant": instant},
        )
        return RecordedSince(*cursor.fetchone())

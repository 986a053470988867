"""What the database has of a run, read as the web role."""

from __future__ import annotations

from typing import Any, Final

import psycopg

from chaos.history import StoredAct
from crs_app.local_postgres import NAME, PORT, WEB, LocalServer

_ACTS: Final = """
SELECT act.form_id::text, author.username, act.course_id::text, act.recorded_at,
    entry.id::text, entry.kind, entry.at, entry.body, entry.replaces_id::text,
    coalesce(act.answers ->> 'reason', '')
FROM patients_chartingact AS act
JOIN accounts_user AS author ON author.id = act.recorded_by_id
LEFT JOIN patients_entry AS entry ON entry.act_id = act.id
WHERE act.course_id = ANY(%s::uuid[])
ORDER BY act.recorded_at, act.id, entry.place
"""


def read_stored(database: LocalServer, courses: list[str]) -> list[StoredAct]:
    """Return the acts of ``courses`` in recorded order."""
    connection: psycopg.Connection[Any]
    with psycopg.connect(
        host=str(database.socket_directory), port=PORT, user=WEB, dbname=NAME
    ) as connection:
        rows = connection.execute(_ACTS, [courses]).fetchall()
    return [StoredAct(*row) for row in rows]

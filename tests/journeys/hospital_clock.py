"""A clock of the hospital that tests move: that of the application and that of the database."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from tests.owner import rights_of_owner

BERLIN = ZoneInfo("Europe/Berlin")
# A function of this name in a schema that is searched first takes the place of PostgreSQL's own.
OWN_CLOCK = """
CREATE SCHEMA hospital;
GRANT USAGE ON SCHEMA hospital TO PUBLIC;
CREATE FUNCTION hospital.clock_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS
    $$ SELECT current_setting('hospital.clock')::timestamptz $$;
"""


class HospitalClock:
    """Stands still between two moves; all within the transaction of a test."""

    def __init__(self, time_machine: Any, start: datetime) -> None:
        self.time_machine = time_machine
        with rights_of_owner(), connection.cursor() as cursor:
            cursor.execute(OWN_CLOCK)
        with connection.cursor() as cursor:
            cursor.execute("SET search_path = hospital, pg_catalog, public")
        self.move_to(start)

    def move_to(self, at: datetime) -> None:
        self.now = at
        self.time_machine.move_to(at, tick=False)
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('hospital.clock', %s, false)", [at.isoformat()])

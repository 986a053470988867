"""Copy acts and entries course by course, and compare the copies, while the site is in use.

A trigger copies what is charted on a course that was copied already. A course is copied under its
own lock, as a save takes it: what was charted before is in the copy, and what comes after finds
the course among the copied ones.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from psycopg import sql

from crs_app.operations.partitions.tables import COPIED, FILLED, TABLES, named
from crs_app.operations.programs import OperationsError

COURSE_LOCK: Final = "1s"
"""How long one course is waited for; it is copied later where that was too short."""

_MAKE: Final = f"""
CREATE TABLE {COPIED} (
    course_id uuid PRIMARY KEY, compared_until timestamptz, is_compared boolean DEFAULT false
)
"""
# The lock is the saver's already, so that it costs nothing; a writer without it waits here. Each
# statement of the function has a snapshot of its own: the second one sees what the lock waited for.
_COPY_NEW: Final = """
CREATE FUNCTION {filled}.copy_new_{table}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM public.patients_course
        WHERE id IN (SELECT course_id FROM added) ORDER BY id FOR NO KEY UPDATE;
    INSERT INTO {filled}.{table} SELECT added.* FROM added
        WHERE course_id IN (SELECT course_id FROM {copied});
    RETURN NULL;
END $$
"""
_ON_INSERT: Final = """
CREATE TRIGGER copy_to_partitions AFTER INSERT ON public.{table} REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION {filled}.copy_new_{table}()
"""
_TO_COPY: Final = f"""
SELECT id FROM patients_course
WHERE NOT EXISTS (SELECT FROM {COPIED} AS copied WHERE copied.course_id = patients_course.id)
ORDER BY id
"""  # noqa: S608 - made of constants
TO_COMPARE: Final = f"""
SELECT course.id, copied.course_id IS NOT NULL
FROM patients_course AS course LEFT JOIN {COPIED} AS copied ON copied.course_id = course.id
LEFT JOIN LATERAL (
    SELECT recorded_at FROM patients_chartingact
    WHERE course_id = course.id ORDER BY recorded_at DESC LIMIT 1
) AS last ON true
WHERE copied.is_compared IS NOT TRUE
    OR last.recorded_at > coalesce(copied.compared_until, '-infinity')
ORDER BY 1
"""  # noqa: S608 - made of constants
"""Courses that are to be compared, and whether they were copied: an index probe for each course."""
_COUNTS: Final = """
SELECT (SELECT count(*) FROM public.{0} WHERE course_id = %(course)s),
    (SELECT count(*) FROM {1}.{0} WHERE course_id = %(course)s)
"""
# Rows of both tables in one snapshot: the trigger writes both in one transaction.
_DIGEST: Final = """
(SELECT ROW(count(*), sum(hashtextextended(act::text, 0)::numeric)) FROM {0}.patients_chartingact
    AS act WHERE course_id = %(course)s AND recorded_at > %(since)s),
(SELECT ROW(count(*), sum(hashtextextended(entry::text, 0)::numeric)) FROM {0}.patients_chartingact
    AS act JOIN {0}.patients_entry AS entry
        ON entry.course_id = act.course_id AND entry.act_id = act.id
    WHERE act.course_id = %(course)s AND act.recorded_at > %(since)s)
"""
_COMPARE: Final = f"""
SELECT ROW({_DIGEST.format("public")}) IS NOT DISTINCT FROM ROW({_DIGEST.format(FILLED)}),
    (SELECT max(recorded_at) FROM patients_chartingact WHERE course_id = %(course)s)
"""  # noqa: S608 - made of constants


@dataclass
class Figures:
    """What a conversion did: rows, seconds, and the longest locks in milliseconds."""

    acts: int = 0
    entries: int = 0
    courses: int = 0
    copying_s: float = 0.0
    whole_s: float = 0.0
    longest_course_lock_ms: float = 0.0
    longest_lock_ms: float = 0.0
    attempts: int = 0
    began: float = field(default_factory=time.monotonic)
    locks_since: float = 0.0

    def unlocked(self) -> None:
        """Note that the lock of whole tables that was asked for at ``locks_since`` is free."""
        lock_ms = (time.monotonic() - self.locks_since) * 1000
        self.longest_lock_ms = max(self.longest_lock_ms, lock_ms)


def watch_inserts(database: psycopg.Connection[Any]) -> None:
    """Make the list of copied courses and the triggers that copy what is charted from now on."""
    database.execute(_MAKE)
    for table in TABLES:
        names = {"filled": FILLED, "table": table, "copied": COPIED}
        database.execute(_COPY_NEW.format(**names))
        database.execute(_ON_INSERT.format(**names))


def unwatch_inserts(database: psycopg.Connection[Any], schema: str) -> None:
    """Drop the triggers of the old tables, which are in ``schema``."""
    for table in TABLES:
        old = named(schema, table)
        database.execute(sql.SQL("DROP TRIGGER copy_to_partitions ON {}").format(old))


def copy_courses(database: psycopg.Connection[Any], figures: Figures) -> None:
    """Copy every course that was not copied yet; one that is locked for long is left for later.

    :raises OperationsError: where a copy has not the rows of its course.
    """
    begun = time.monotonic()
    for (course,) in database.execute(_TO_COPY).fetchall():
        try:
            copy_course(database, course, figures)
        except psycopg.errors.LockNotAvailable:
            continue
    figures.copying_s += time.monotonic() - begun


def copy_course(database: psycopg.Connection[Any], course: uuid.UUID, figures: Figures) -> None:
    """Copy one course: most of it without a lock, what came meanwhile under the course's lock."""
    with database.transaction():
        database.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        database.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(COURSE_LOCK))
        _insert(database, course)
    begun = time.monotonic()
    with database.transaction():
        database.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(COURSE_LOCK))
        database.execute(
            "SELECT FROM public.patients_course WHERE id = %s FOR NO KEY UPDATE", [course]
        )
        begun = time.monotonic()
        copy_rest(database, course, figures)
    lock_ms = (time.monotonic() - begun) * 1000
    figures.longest_course_lock_ms = max(figures.longest_course_lock_ms, lock_ms)


def copy_rest(database: psycopg.Connection[Any], course: uuid.UUID, figures: Figures) -> None:
    """Copy the rows that the copy of a locked course lacks, and mark it as copied.

    :raises OperationsError: where the copy has not the rows of its course.
    """
    if _differ(database, course):
        _insert(database, course)
        if _differ(database, course):
            raise OperationsError(f"The copy of the course {course} does not have the same rows.")
    database.execute(f"INSERT INTO {COPIED} (course_id) VALUES (%s)", [course])  # noqa: S608
    figures.courses += 1


def compare_courses(database: psycopg.Connection[Any]) -> int:
    """Compare each copied course with its copy, from the last comparison on.

    Return how many were to be compared, those that are not copied yet among them.

    :raises OperationsError: where a row differs.
    """
    found = database.execute(TO_COMPARE).fetchall()
    for course, was_copied in found:
        if was_copied:
            compare_course(database, course)
    return len(found)


def compare_course(database: psycopg.Connection[Any], course: uuid.UUID) -> None:
    """Compare count and digest of the rows since the last comparison; note the new one.

    :raises OperationsError: where they differ.
    """
    row = database.execute(
        f"SELECT coalesce(compared_until, '-infinity') FROM {COPIED}"  # noqa: S608
        " WHERE course_id = %s AND is_compared",
        [course],
    ).fetchone()
    params = {"course": course, "since": row[0] if row else "-infinity"}
    are_equal, until = database.execute(_COMPARE, params).fetchone() or (False, None)
    if not are_equal:
        raise OperationsError(f"The copy of the course {course} differs from it.")
    database.execute(
        f"UPDATE {COPIED} SET compared_until = %s, is_compared = true"  # noqa: S608
        " WHERE course_id = %s",
        [until, course],
    )


def have_more_acts(
    database: psycopg.Connection[Any], courses: Sequence[uuid.UUID], number: int
) -> bool:
    """Return whether courses have more acts than ``number`` together, without counting all."""
    found = database.execute(
        "SELECT FROM public.patients_chartingact WHERE course_id = ANY(%s) OFFSET %s LIMIT 1",
        [list(courses), number],
    )
    return found.fetchone() is not None


def _insert(database: psycopg.Connection[Any], course: uuid.UUID) -> None:
    for table in TABLES:
        database.execute(
            sql.SQL(
                "INSERT INTO {} SELECT * FROM {} WHERE course_id = %s ON CONFLICT DO NOTHING"
            ).format(named(FILLED, table), named("public", table)),
            [course],
        )


def _differ(database: psycopg.Connection[Any], course: uuid.UUID) -> bool:
    for table in TABLES:
        old, new = database.execute(
            _COUNTS.format(table, FILLED),
            {"course": course},
        ).fetchone() or (0, 1)
        if old != new:
            return True
    return False

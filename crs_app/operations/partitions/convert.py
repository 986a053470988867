"""Convert acts and entries of a live site to hash partitions; each step can be run again.

1. New tables are made, and triggers on the old ones: one short transaction.
2. Courses are copied and compared, one by one, while people chart.
3. The tables change places in one transaction, within a lock of bounded length.
4. Foreign keys are validated and statistics read, while people chart.

A conversion that was killed continues where it stopped when the command is run again. The old
tables stay until the operator drops them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import sql

from crs_app.database_roles import rights_in
from crs_app.operations.partitions.copying import (
    TO_COMPARE,
    Figures,
    compare_course,
    compare_courses,
    copy_courses,
    copy_rest,
    have_more_acts,
    unwatch_inserts,
    watch_inserts,
)
from crs_app.operations.partitions.tables import (
    FILLED,
    KEPT,
    TABLES,
    checks_to_add,
    is_begun,
    is_partitioned,
    make_tables,
    named,
    refer_outwards,
    refer_to_partitioned,
    references,
    unvalidated_references,
)
from crs_app.operations.programs import Address, OperationsError

Report = Callable[[str], object]

PARTITIONS: Final = 16
LOCK_WAIT_MS: Final = 300
"""How long a step waits for the tables before it lets the site go on and tries again.

Shorter than ``deadlock_timeout`` (1 s): where a request waits for it and it for the request, it is
the one that gives way.
"""
_TRIES: Final = 200
_PAUSE_S: Final = 0.5
_COURSES_UNDER_LOCK: Final = 20
_ACTS_UNDER_LOCK: Final = 1000
"""How many courses may be copied or compared while the tables are locked, and acts be copied."""
_ONE_AT_A_TIME: Final = "SELECT pg_try_advisory_lock(hashtext('crs partition charts'))"


def partition_charts(
    owner: Address, web_role: str, report: Report, *, partitions: int = PARTITIONS
) -> Figures:
    """Convert the database at ``owner``, or go on with it; ``web_role`` keeps its rights.

    :raises OperationsError: where a copy differs, or no lock of the tables was to be had. The site
        then still uses its old tables, and the command can be run again.
    """
    figures = Figures()
    with _alone(owner) as database:
        if not is_partitioned(database):
            if not is_begun(database):
                _prepare(database, web_role, partitions, figures)
                report(f"Made {partitions} empty partitions of each table.")
            _copy_and_change_places(database, report, figures)
        _finish(database, report)
        figures.acts, figures.entries = _rows(database)
    figures.whole_s = time.monotonic() - figures.began
    return figures


def abandon(owner: Address) -> None:
    """Undo a conversion that has not changed places yet; the site has its old tables.

    :raises OperationsError: where there is none.
    """
    with _alone(owner) as database:
        if not is_begun(database):
            raise OperationsError("No conversion has begun.")

        def undo() -> None:
            _lock(database, TABLES)
            unwatch_inserts(database, "public")
            database.execute(f"DROP SCHEMA {FILLED} CASCADE")

        _with_short_lock(database, undo, Figures())


def drop_old(owner: Address) -> None:
    """Drop the old tables of a finished conversion.

    :raises OperationsError: where there are none, or foreign keys wait for their validation.
    """
    with _alone(owner) as database:
        found = database.execute("SELECT to_regnamespace(%s) IS NULL", [KEPT]).fetchone()
        if found is None or found[0]:
            raise OperationsError("There are no old tables to drop.")
        if unvalidated_references(database):
            raise OperationsError(
                "The conversion is not finished: run it without --drop-old first."
            )
        _with_short_lock(
            database, lambda: database.execute(f"DROP SCHEMA {KEPT} CASCADE"), Figures()
        )


@contextmanager
def _alone(owner: Address) -> Iterator[psycopg.Connection[Any]]:
    with owner.connect() as database:
        found = database.execute(_ONE_AT_A_TIME).fetchone()
        if found is None or not found[0]:
            raise OperationsError("The command is running already.")
        # A foreign key to a partitioned table would be planned for each row.
        database.execute("SET plan_cache_mode = force_generic_plan")
        yield database
        # At once: the server notices the end of a connection a little later.
        database.execute("SELECT pg_advisory_unlock_all()")


def _prepare(
    database: psycopg.Connection[Any], web_role: str, partitions: int, figures: Figures
) -> None:
    def make() -> None:
        database.execute(f"CREATE SCHEMA {FILLED}")
        make_tables(database, partitions)
        for table in TABLES:
            database.execute(
                sql.SQL("GRANT {} ON {} TO {}").format(
                    sql.SQL(rights_in(table)),
                    named(FILLED, table),
                    sql.Identifier(web_role),
                )
            )
        # From here on writers wait: a foreign key locks what it refers to.
        figures.locks_since = time.monotonic()
        refer_outwards(database)
        watch_inserts(database)

    _with_short_lock(database, make, figures)


def _copy_and_change_places(
    database: psycopg.Connection[Any], report: Report, figures: Figures
) -> None:
    for _ in range(_TRIES):
        before = figures.courses
        copy_courses(database, figures)
        if figures.courses > before:
            report(f"Copied {figures.courses - before} courses.")
        compare_courses(database)
        for table in TABLES:
            database.execute(sql.SQL("ANALYZE {}").format(named(FILLED, table)))
        try:
            _with_short_lock(database, lambda: _change_places(database, figures), figures)
        except _TooMuchUnderLockError:
            time.sleep(_PAUSE_S)
            continue
        report("The new tables have taken the place of the old ones.")
        return
    raise OperationsError("Some courses stay locked by others. Run the command again later.")


class _TooMuchUnderLockError(Exception):
    """More courses are to be copied or compared than a short lock allows."""


def _change_places(database: psycopg.Connection[Any], figures: Figures) -> None:
    """Copy and compare what came last, then let old and new tables change their schemas."""
    found = references(database)
    _lock(database, (*TABLES, *sorted({one.table for one in found})))
    last = database.execute(TO_COMPARE).fetchall()
    to_copy = [course for course, was_copied in last if not was_copied]
    if len(last) > _COURSES_UNDER_LOCK or have_more_acts(database, to_copy, _ACTS_UNDER_LOCK):
        raise _TooMuchUnderLockError
    for course, was_copied in last:
        if not was_copied:
            copy_rest(database, course, figures)
        compare_course(database, course)
    unwatch_inserts(database, "public")
    for statement in (
        sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(KEPT)),
        *_moves(),
        *(statement for one in found for statement in refer_to_partitioned(one)),
    ):
        database.execute(statement)
    for statement in checks_to_add(database):
        database.execute(statement)
    database.execute(f"DROP SCHEMA {FILLED} CASCADE")


def _moves() -> Iterator[sql.Composed]:
    for table in TABLES:
        for origin, to in (("public", KEPT), (FILLED, "public")):
            yield sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(
                named(origin, table), sql.Identifier(to)
            )


# PostgreSQL takes the plan of all partitions for a dear one, and would plan each statement again at
# each execution. The statements of this product are written so that one plan serves every course.
_PLAN_ONCE: Final = "ALTER DATABASE {} SET plan_cache_mode = force_generic_plan"


def _finish(database: psycopg.Connection[Any], report: Report) -> None:
    """Validate the foreign keys, by no lock that a save waits for, and read statistics."""
    (name,) = database.execute("SELECT current_database()").fetchone() or ("",)
    plan_once = sql.SQL(_PLAN_ONCE).format(sql.Identifier(name))
    try:
        database.execute(plan_once)
    except psycopg.errors.InsufficientPrivilege:
        report(f"Let the owner of the database run: {plan_once.as_string(database)}")
    for table, name in unvalidated_references(database):
        database.execute(
            sql.SQL("ALTER TABLE {} VALIDATE CONSTRAINT {}").format(
                named("public", table), sql.Identifier(name)
            )
        )
    for table in TABLES:
        database.execute(sql.SQL("ANALYZE {}").format(named("public", table)))


def _lock(database: psycopg.Connection[Any], tables: tuple[str, ...]) -> None:
    names = sql.SQL(", ").join(named("public", table) for table in tables)
    database.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(names))


def _with_short_lock(
    database: psycopg.Connection[Any], step: Callable[[], object], figures: Figures
) -> None:
    """Run a step in one transaction; where it waits too long for a lock, again after a pause.

    :raises OperationsError: where every try waited too long.
    """
    for _ in range(_TRIES):
        figures.attempts += 1
        figures.locks_since = time.monotonic()
        try:
            with database.transaction():
                database.execute(
                    sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(LOCK_WAIT_MS))
                )
                step()
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            figures.unlocked()
            time.sleep(_PAUSE_S)
        else:
            figures.unlocked()
            return
    raise OperationsError(
        "Another transaction keeps acts or entries locked, such as a backup or an export. "
        "Run the command again when it has ended: what was copied stays."
    )


def _rows(database: psycopg.Connection[Any]) -> tuple[int, int]:
    acts, entries = (
        (
            database.execute(sql.SQL("SELECT count(*) FROM {}").format(named("public", table)))
        ).fetchone()
        or (0,)
        for table in TABLES
    )
    return acts[0], entries[0]

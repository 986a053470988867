"""Restore a backup: load it into a new database, verify it there, then change the names."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psycopg
from django.core.management import call_command
from django.db import DatabaseError
from django.db import connection as django_connection
from psycopg import sql

from crs_app.database_roles import check_web_role
from crs_app.operations.manifest import (
    Contents,
    Manifest,
    check_dump,
    check_version,
    read_contents,
    read_last_act,
    read_manifest,
)
from crs_app.operations.programs import APPLICATION, Address, OperationsError, program, run_program
from crs_app.operations.verified import verify_site, working_on

Report = Callable[[str], object]
"""Takes a sentence for the operator."""

LONGEST_NAME: Final = 63  # bytes of a PostgreSQL identifier
_ENDED_WITHIN_S: Final = 2.0
"""How long a connection that was ended may still be listed: on a busy machine, a second."""
_SESSIONS: Final = """
SELECT coalesce(nullif(application_name, ''), 'no name'), usename, count(*)
FROM pg_stat_activity
WHERE datname = %s AND pid <> pg_backend_pid() AND backend_type = 'client backend'
    AND application_name <> %s
GROUP BY 1, 2 ORDER BY 1, 2
"""
_SETTINGS: Final = """
SELECT r.rolname, split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1)
FROM pg_db_role_setting AS s
LEFT JOIN pg_roles AS r ON r.oid = s.setrole
CROSS JOIN unnest(s.setconfig) AS setting
WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = %s)
"""


@dataclass(frozen=True)
class Restored:
    """A backup in a database of its own, loaded and verified."""

    database: str
    manifest: Manifest
    figures: dict[str, object]


def restore(file: Path, owner: Address, keeper: Address, report: Report) -> tuple[Restored, str]:
    """Put the backup in the place of the database at ``owner``.

    Return it, and the name under which the replaced database is kept.

    :raises OperationsError: where the site is in use, or the backup is damaged, newer than this
        version or does not verify. The database is then as it was, under its name.
    """
    refuse_while_in_use(owner.name, keeper)
    last_act_at = _last_act_at(owner)
    restored = load_and_verify(file, owner, keeper, report)
    try:
        if _last_act_at(owner) != last_act_at:
            raise OperationsError(
                "Something was charted while the backup was loaded. Nothing was replaced. "
                + WHAT_TO_STOP
            )
        kept = _named(owner.name, "before")
        _change_names(owner.name, restored.database, kept, keeper)
    except BaseException:
        drop(restored.database, keeper)
        raise
    return restored, kept


def load_and_verify(file: Path, owner: Address, keeper: Address, report: Report) -> Restored:
    """Load a backup into a new database of the same server and verify it there.

    A backup of an earlier version is migrated to this one first. On any fault the new database is
    removed.

    :raises OperationsError: as ``restore`` does.
    """
    manifest = read_manifest(file)
    check_version(manifest)
    check_dump(file, manifest)
    report(f"{file.name}: whole, of {manifest.at}, {sum(manifest.contents.rows.values())} rows.")
    name = _named(owner.name, "restored")
    begun = time.monotonic()
    try:
        _create(name, owner, keeper)
        _load(file, manifest, owner.at(name))
        loaded_s = time.monotonic() - begun
        with owner.at(name).connect() as connection:
            _compare(read_contents(connection), manifest.contents)
        report(f"Loaded into {name} in {loaded_s:.1f} s; every count is that of the manifest.")
        figures = _verify(name)
        report(
            f"Verified there: {figures['courses']} courses and {figures['events']} events agree."
        )
    except BaseException:
        drop(name, keeper)
        raise
    return Restored(name, manifest, figures | {"loaded_seconds": round(loaded_s, 1)})


def refuse_while_in_use(name: str, keeper: Address) -> None:
    """Raise OperationsError while anybody is connected to a database.

    The connection of this process does not count; it is closed. A connection that was just ended
    is still listed until its server process has gone, so a few seconds are waited for it.
    """
    django_connection.close()
    last = time.monotonic() + _ENDED_WITHIN_S
    with keeper.at("postgres").connect() as connection:
        while found := connection.execute(_SESSIONS, [name, APPLICATION]).fetchall():
            if time.monotonic() >= last:
                break
            time.sleep(0.05)
    if found:
        listed = ", ".join(f"{count} × {user} ({who})" for who, user, count in found)
        raise OperationsError(
            f"The site is being used: the database {name} has connections: {listed}. "
            "Nothing was restored. " + WHAT_TO_STOP
        )


WHAT_TO_STOP: Final = (
    "Stop what serves and what writes (`docker compose stop proxy web hl7 record backup`, or "
    "Ctrl-C at `make run`; interfaces and timers too), then restore again."
)


def drop(name: str, keeper: Address) -> None:
    """Remove a database that this process made."""
    django_connection.close()
    with keeper.at("postgres").connect() as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )


def _last_act_at(owner: Address) -> str | None:
    """Return when the last act was recorded; None for an empty database too."""
    with owner.connect() as connection:
        try:
            return read_last_act(connection)
        except psycopg.errors.UndefinedTable:
            return None


def _named(name: str, why: str) -> str:
    suffix = f"_{why}_{datetime.now(UTC):%Y%m%d_%H%M%S}"
    return name[: LONGEST_NAME - len(suffix)] + suffix


def _create(name: str, owner: Address, keeper: Address) -> None:
    """Make an empty database as the one at ``owner`` is: its text rules, owner and settings."""
    with keeper.at("postgres").connect() as connection:
        found = connection.execute(
            "SELECT pg_encoding_to_char(encoding), datcollate, datctype, datlocprovider::text"
            " FROM pg_database WHERE datname = %s",
            [owner.name],
        ).fetchone()
        options = [sql.SQL("TEMPLATE template0 OWNER {}").format(sql.Identifier(owner.user))]
        if found and found[3] == "c":
            for option, value in zip(("ENCODING", "LC_COLLATE", "LC_CTYPE"), found, strict=False):
                options.append(sql.SQL(option + " {}").format(sql.Literal(value)))
        named = sql.Identifier(name)
        try:
            connection.execute(
                sql.SQL("CREATE DATABASE {} {}").format(named, sql.SQL(" ").join(options))
            )
        except psycopg.Error as error:
            raise OperationsError(f"No new database can be made: {error}") from error
        for role, setting, value in connection.execute(_SETTINGS, [owner.name]).fetchall():
            whose = sql.SQL("ROLE {} IN ").format(sql.Identifier(role)) if role else sql.SQL("")
            connection.execute(
                sql.SQL("ALTER {}DATABASE {} SET {} TO {}").format(
                    whose, named, sql.Identifier(setting), sql.Literal(value)
                )
            )


def _load(file: Path, manifest: Manifest, there: Address) -> None:
    with there.connect() as connection:
        version = connection.info.server_version
    if version // 10_000 < manifest.server_version // 10_000:
        raise OperationsError(
            f"The backup is of PostgreSQL {manifest.server_version // 10_000}, and this server is "
            f"{version // 10_000}. Nothing was restored. Restore into a server of that version."
        )
    path = program("pg_restore", max(version, manifest.server_version))
    arguments = [
        "--no-owner", "--single-transaction", "--exit-on-error", "--no-password",
        f"--dbname={there.name}", str(file),
    ]  # fmt: skip
    run_program(path, arguments, there)


def _compare(loaded: Contents, expected: Contents) -> None:
    wrong = [
        f"{kind} of {name}: {there.get(name, 0)} and not {count}"
        for kind, there, counts in (
            ("rows", loaded.rows, expected.rows),
            ("number", loaded.rules, expected.rules),
        )
        for name, count in counts.items()
        if there.get(name, 0) != count
    ]
    if loaded.last_act_at != expected.last_act_at:
        wrong.append(f"the last act is of {loaded.last_act_at} and not {expected.last_act_at}")
    if wrong:
        raise OperationsError(
            "What was loaded is not what the manifest says: " + "; ".join(wrong[:5])
        )


def _verify(name: str) -> dict[str, object]:
    web_role = django_connection.settings_dict["USER"]
    with working_on(name):
        try:
            # Brings an earlier version's tables to this one, and gives the web role its rights.
            call_command("migrate", verbosity=0, interactive=False)
            check_web_role(web_role)
            figures, faults = verify_site()
        except DatabaseError as error:
            raise OperationsError(f"The restored database cannot be verified: {error}") from error
    if faults:
        raise OperationsError(
            "The restored database does not verify; nothing was replaced:\n" + "\n".join(faults)
        )
    return figures


def _change_names(name: str, restored: str, kept: str, keeper: Address) -> None:
    """Give the restored database the name, and the replaced one another, both or neither."""
    refuse_while_in_use(name, keeper)
    with keeper.at("postgres").connect() as connection:
        try:
            with connection.transaction():
                for before, after in ((name, kept), (restored, name)):
                    _rename(connection, before, after)
        except psycopg.errors.ObjectInUse as error:
            raise OperationsError(
                f"The site came to be used while the backup was loaded ({error}). "
                "Nothing was replaced. " + WHAT_TO_STOP
            ) from error


def _rename(connection: psycopg.Connection[Any], before: str, after: str) -> None:
    connection.execute(
        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
            sql.Identifier(before), sql.Identifier(after)
        )
    )

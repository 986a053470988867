"""What a backup is: the manifest that comes with each dump."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import psycopg
from django.db.migrations.loader import MigrationLoader
from psycopg import sql

from crs_app import VERSION
from crs_app.operations.programs import OperationsError

FORMAT: Final = "crs-backup/1"
SUFFIX: Final = ".json"
_BLOCK: Final = 1 << 20

_TABLES: Final = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
ORDER BY relname
"""
# Rules that protect the chart: a restored database must have as many of each.
_RULES: Final = """
SELECT
    (SELECT count(*) FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
        WHERE c.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal
            AND t.tgenabled IN ('O', 'A')),
    (SELECT count(*) FROM pg_constraint AS k WHERE k.connamespace = 'public'::regnamespace
        AND k.contype <> 'n'),
    (SELECT count(*) FROM pg_proc AS p WHERE p.pronamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')),
    (SELECT count(*) FROM pg_class AS c WHERE c.relnamespace = 'public'::regnamespace
        AND c.relkind IN ('i', 'I'))
"""
_RULE_NAMES: Final = ("triggers", "constraints", "functions", "indexes")


@dataclass(frozen=True)
class Contents:
    """What a database holds at one instant: rows by table, rules by kind, its last act."""

    rows: Mapping[str, int]
    rules: Mapping[str, int]
    migrations: tuple[str, ...]
    last_act_at: str | None


@dataclass(frozen=True)
class Manifest:
    """A backup in words and figures; ``sha256`` is of its dump."""

    format: str
    product_version: str
    server_version: int
    database: str
    at: str
    dump: str
    bytes: int
    sha256: str
    contents: Contents

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1) + "\n"


def read_contents(connection: psycopg.Connection[Any]) -> Contents:
    """Count what the database holds, in the transaction of the connection."""
    rows: dict[str, int] = {}
    for (table,) in connection.execute(_TABLES).fetchall():
        counted = connection.execute(
            sql.SQL("SELECT count(*) FROM public.{}").format(sql.Identifier(table))
        ).fetchone()
        rows[table] = counted[0] if counted else 0
    rules = connection.execute(_RULES).fetchone() or ()
    migrations = connection.execute("SELECT app || '.' || name FROM django_migrations ORDER BY 1")
    return Contents(
        rows=rows,
        rules=dict(zip(_RULE_NAMES, rules, strict=True)),
        migrations=tuple(name for (name,) in migrations.fetchall()),
        last_act_at=read_last_act(connection),
    )


def read_last_act(connection: psycopg.Connection[Any]) -> str | None:
    """Return when the last act was recorded, in ISO form; None where there is none."""
    found = connection.execute("SELECT max(recorded_at) FROM patients_chartingact").fetchone()
    return found[0].isoformat() if found and found[0] else None


def manifest_of(dump: Path) -> Path:
    """Return the file of the manifest of a dump."""
    return dump.with_name(dump.name + SUFFIX)


def read_manifest(dump: Path) -> Manifest:
    """Read the manifest of ``dump``; whether the dump fits it is ``check_dump``'s.

    :raises OperationsError: where there is none, or it cannot be read, or is of a newer version.
    """
    file = manifest_of(dump)
    try:
        if not dump.is_file():
            raise FileNotFoundError
        fields = json.loads(file.read_text("utf-8"))
        if not isinstance(fields, dict):
            raise TypeError
        if fields.get("format") != FORMAT:
            raise OperationsError(
                f"{file} is of the form {fields.get('format')!r}; this version reads {FORMAT!r}. "
                "Restore it with the version of the product that wrote it."
            )
        contents = fields.pop("contents")
        contents["migrations"] = tuple(contents["migrations"])
        manifest = Manifest(**fields, contents=Contents(**contents))
        datetime.fromisoformat(manifest.at)
        counts = (*contents["rows"].values(), *contents["rules"].values())
        if not all(isinstance(n, int) for n in (manifest.bytes, manifest.server_version, *counts)):
            raise TypeError
    except FileNotFoundError as error:
        missing = file if dump.is_file() else dump
        raise OperationsError(
            f"{missing} is not there. A backup is two files, NAME.dump and NAME.dump{SUFFIX}; the "
            "second is written last, so a dump without it was never finished, or not copied whole."
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise OperationsError(
            f"{file} is damaged: it is no manifest of a backup. Take another backup."
        ) from error
    return manifest


def check_dump(dump: Path, manifest: Manifest) -> None:
    """Compare the dump with its manifest, byte by byte.

    :raises OperationsError: where a byte is missing, or another one.
    """
    try:
        size, digest = dump.stat().st_size, digest_of(dump)
    except OSError as error:
        raise OperationsError(f"{dump} cannot be read: {error.strerror}.") from error
    if size != manifest.bytes:
        raise OperationsError(
            f"{dump} is damaged: it has {size} bytes, and had {manifest.bytes} when it was made. "
            "Nothing was restored. Take another copy of it, or another backup."
        )
    if digest != manifest.sha256:
        raise OperationsError(
            f"{dump} is damaged: its SHA-256 is not the one in its manifest. Nothing was restored. "
            "Take another copy of it, or another backup."
        )


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def check_version(manifest: Manifest) -> None:
    """Refuse a backup of a newer version: this one would not understand its tables.

    :raises OperationsError: where the backup has migrations that this version does not know.
    """
    loader = MigrationLoader(None, ignore_no_migrations=True)
    known = {f"{app}.{name}" for app, name in loader.disk_migrations}
    replaced = {
        f"{app}.{name}" for each in loader.replacements.values() for app, name in each.replaces
    }
    unknown = sorted(set(manifest.contents.migrations) - known - replaced)
    if unknown:
        raise OperationsError(
            f"The backup is of a newer version of the product ({manifest.product_version}; this is "
            f"{VERSION}): it has the migration {unknown[0]}"
            + (f" and {len(unknown) - 1} more" if len(unknown) > 1 else "")
            + " that this version does not know. Nothing was restored. Install that version first."
        )

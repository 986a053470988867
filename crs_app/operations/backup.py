"""Make a backup: one consistent dump, and the manifest that proves that it is whole."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import psycopg

from crs_app import VERSION
from crs_app.operations.manifest import (
    FORMAT,
    Contents,
    Manifest,
    manifest_of,
    read_contents,
)
from crs_app.operations.programs import Address, OperationsError, failure, program

LONGEST_KEPT_DAYS: Final = 36_500
NEWEST_KEPT: Final = 7
"""So many backups stay, however old they are."""
_NAME: Final = re.compile(r"crs-\d{8}T\d{6}Z\.dump")
_UNFINISHED: Final = re.compile(r"crs-\d{8}T\d{6}Z\.dump(\.json)?\.unfinished")
_BLOCK: Final = 1 << 20


def default_file(folder: Path) -> Path:
    """Return the file for a backup at this moment: ``crs-20261129T023000Z.dump``."""
    return folder / f"crs-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.dump"


def make_backup(file: Path, owner: Address) -> Manifest:
    """Dump the database at ``owner`` to ``file`` and its manifest to the file next to it.

    Saves go on meanwhile; the dump and the counts of its manifest are of one instant. Both files
    are for their owner alone, and are on the disk when this returns. An interrupted backup leaves
    no file of these names.

    :raises OperationsError: where a file is there already, the dump fails, or the disk is full.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _alone_in(file.parent):
            _remove_unfinished(file.parent)
            return _make_backup(file, owner)
    except OSError as error:
        raise OperationsError(f"The backup cannot be written: {error}.") from error
    except psycopg.Error as error:
        raise OperationsError(f"The database does not answer any more: {error}") from error


def _make_backup(file: Path, owner: Address) -> Manifest:
    for path in (file, manifest_of(file)):
        if path.exists():
            raise OperationsError(f"{path} is there already; a backup overwrites nothing.")
    unfinished = file.with_name(f"{file.name}.unfinished")
    try:
        with owner.connect() as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            seen = connection.execute("SELECT pg_export_snapshot(), now()").fetchone()
            snapshot, at = seen or ("", datetime.now(UTC))
            version = connection.info.server_version
            size, digest = _dump(unfinished, owner, snapshot, version)
            contents = read_contents(connection)
            connection.execute("COMMIT")
        manifest = _manifest(file, owner, at, version, size, digest, contents)
        unfinished.rename(file)
        _write(manifest_of(file), manifest.to_json())
        _sync_folder(file.parent)
    finally:
        unfinished.unlink(missing_ok=True)
    return manifest


def _remove_unfinished(folder: Path) -> None:
    """Remove what backups that were killed left; nobody else writes one in the folder now."""
    for path in folder.glob("crs-*.unfinished"):
        if _UNFINISHED.fullmatch(path.name):
            path.unlink(missing_ok=True)


def _manifest(
    file: Path, owner: Address, at: datetime, version: int, size: int, digest: str, holds: Contents
) -> Manifest:
    return Manifest(
        format=FORMAT,
        product_version=VERSION,
        server_version=version,
        database=owner.name,
        at=at.astimezone(UTC).isoformat(),
        dump=file.name,
        bytes=size,
        sha256=digest,
        contents=holds,
    )


def _dump(file: Path, owner: Address, snapshot: str, server_version: int) -> tuple[int, str]:
    """Write what pg_dump sends; return its length in bytes and its SHA-256."""
    path = program("pg_dump", server_version)
    command = [path, "--format=custom", f"--snapshot={snapshot}", "--no-password"]
    digest, size = hashlib.sha256(), 0
    with (
        os.fdopen(os.open(file, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as written,
        subprocess.Popen(
            command,
            env=owner.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as dumping,
    ):
        if dumping.stdout is None or dumping.stderr is None:  # they are pipes
            raise OperationsError("pg_dump could not be read.")
        try:
            while block := dumping.stdout.read(_BLOCK):
                digest.update(block)
                size += len(block)
                written.write(block)
            written.flush()
            os.fsync(written.fileno())
        except BaseException:
            dumping.kill()
            raise
        words = dumping.stderr.read()
        if dumping.wait():
            raise failure(path, words)
    return size, digest.hexdigest()


def remove_old(folder: Path, days: int) -> list[Path]:
    """Remove backups of more than ``days`` days ago; return their dumps.

    Only files named as ``default_file`` names them are looked at, and the newest seven stay.

    :raises OperationsError: where one cannot be removed.
    """
    try:
        return _remove_old(folder, days)
    except OSError as error:
        raise OperationsError(
            f"The new backup is whole. An older one could not be removed: {error}."
        ) from error


def _remove_old(folder: Path, days: int) -> list[Path]:
    oldest = f"crs-{datetime.now(UTC) - timedelta(days=days):%Y%m%dT%H%M%SZ}.dump"
    found = sorted(
        path
        for path in folder.iterdir()
        if _NAME.fullmatch(path.name) and manifest_of(path).exists()
    )
    removed = [path for path in found[:-NEWEST_KEPT] if path.name < oldest]
    for path in removed:
        # The manifest last: a dump without one is no backup, a manifest without a dump says so.
        path.unlink()
        manifest_of(path).unlink()
    return removed


def _write(file: Path, text: str) -> None:
    unfinished = file.with_name(f"{file.name}.unfinished")
    with os.fdopen(
        os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w"
    ) as written:
        written.write(text)
        written.flush()
        os.fsync(written.fileno())
    unfinished.rename(file)


def _sync_folder(folder: Path) -> None:
    """Let the names of the files survive a loss of power too."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Make one backup at a time in a folder.

    :raises OperationsError: while another one is being made.
    """
    with (folder / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OperationsError(f"Another backup is being written to {folder}.") from error
        yield

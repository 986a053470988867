"""Drills: what is stored is destroyed on purpose, brought back, and compared row by row."""

from __future__ import annotations

import shutil
import tempfile
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from crs_app.local_postgres import LocalServer
from crs_app.operations.backup import default_file, make_backup
from crs_app.operations.drill_clusters import (
    kill,
    new_cluster,
    open_ward,
    script,
    serving_from,
    wait_until_promoted,
    write_settings,
)
from crs_app.operations.programs import Address, OperationsError
from crs_app.operations.restore import Report, drop, load_and_verify
from crs_app.operations.verified import verify_site

Figures = dict[str, object]


def drill_backup(file: Path | None, owner: Address, keeper: Address, report: Report) -> Figures:
    """Restore a backup into a new database, verify it there and remove it; the site serves on.

    None is a new backup of the database as it is now, which is removed afterwards too.

    :raises OperationsError: where what is restored is not what was backed up.
    """
    begun = time.monotonic()
    settings.BACKUPS_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Where backups have their place: the folder of temporary files can be too small.
    with tempfile.TemporaryDirectory(prefix="drill-", dir=settings.BACKUPS_DIR) as folder:
        if file is None:
            file = default_file(Path(folder))
            manifest = make_backup(file, owner)
            report(f"Backed up in {time.monotonic() - begun:.1f} s: {manifest.bytes} bytes.")
        restored = load_and_verify(file, owner, keeper, report)
        drop(restored.database, keeper)
    return {
        "backup_of": restored.manifest.at,
        "rows": sum(restored.manifest.contents.rows.values()),
        **restored.figures,
        "seconds": round(time.monotonic() - begun, 1),
    }


def drill_point_in_time(report: Report) -> Figures:
    """Kill a new PostgreSQL that archives its log; recover it to a time, then to its end.

    :raises OperationsError: where an acknowledged save is missing, or one from after the time is
        there.
    """
    with new_cluster() as server:
        archive = server.home / "archive"
        variables = {"ARCHIVE": str(archive), "PGDATA": str(server.data)}
        write_settings(server, _archiving(server, archive))
        server.start()
        server.create_database()
        with serving_from(server):
            call_command("migrate", verbosity=0)
            ward = open_ward()
            ward.save(20)
            base = script(server, "base-backup.sh", variables)
            report(f"Copied the cluster while it serves: {base}")
            time.sleep(1.1)  # a copy serves times of later seconds than its own
            ward.save(20)
            before, wanted_at = set(ward.acknowledged), datetime.now(UTC)
            time.sleep(1.1)
            ward.save(10)

            figures: Figures = {"saves": len(ward.acknowledged)}
            for to, expected in (
                (wanted_at.isoformat(sep=" "), before),
                ("latest", set(ward.acknowledged)),
            ):
                connection.close()
                kill(server)
                if to == "latest":  # the killed cluster again, and not the one that was recovered
                    shutil.rmtree(server.data)
                    next(server.home.glob("data.before-*")).rename(server.data)
                begun = time.monotonic()
                report(script(server, "recover.sh", variables | {"RECOVER_TO": to}))
                server.start()
                wait_until_promoted(server)
                seconds = round(time.monotonic() - begun, 1)
                _compare(ward.stored(), expected, set(ward.acknowledged))
                _, faults = verify_site()
                if faults:
                    raise OperationsError("\n".join(faults))
                name = "to_the_time" if to != "latest" else "to_the_end"
                figures[name] = f"{len(expected)} of {len(expected)} saves, {seconds} s"
                report(f"Recovered to {to} in {seconds} s: {len(expected)} saves, all verified.")
        return figures


def _compare(stored: set[uuid.UUID], expected: set[uuid.UUID], all_saves: set[uuid.UUID]) -> None:
    lost, beyond = expected - stored, stored & (all_saves - expected)
    if lost or beyond:
        raise OperationsError(
            f"{len(lost)} acknowledged saves are lost, and {len(beyond)} from after the time are "
            "there."
        )


def _archiving(server: LocalServer, archive: Path) -> Mapping[str, str]:
    command = f'ARCHIVE="{archive}" "{server.home / "archive.sh"}" "%p" "%f"'
    return {"archive_mode": "on", "archive_command": command, "archive_timeout": "5min"}

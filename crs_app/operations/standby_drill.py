"""A drill of two machines: the first is killed under load, and the second takes its place."""

from __future__ import annotations

import threading
import time
import uuid
from contextlib import suppress
from typing import Final

from django.core.management import call_command
from django.db import DatabaseError, connection

from crs_app.local_postgres import USER, LocalServer
from crs_app.operations.drill_clusters import (
    STOPS_WITHIN_S,
    Ward,
    kill,
    new_cluster,
    open_ward,
    serving_from,
    wait_until_promoted,
    write_settings,
)
from crs_app.operations.programs import OperationsError
from crs_app.operations.restore import Report
from crs_app.operations.verified import verify_site

CLIENTS: Final = 4
UNDER_LOAD_S: Final = 5
STANDBY: Final = "standby"


def drill_standby(report: Report) -> dict[str, object]:
    """Save from several clients, kill the primary, promote the standby, compare form by form.

    A save is acknowledged when the standby has applied it (``remote_apply``).

    :raises OperationsError: where an acknowledged save is missing on the standby.
    """
    with new_cluster() as primary, new_cluster(is_empty=True) as standby:
        primary.start()
        primary.create_database()
        with serving_from(primary):
            call_command("migrate", verbosity=0)
            wards = [open_ward(f"DRILL-{number}") for number in range(CLIENTS)]
            _follow(standby, primary)
            report("The standby follows; each save waits until it has applied it.")
            _save_until_killed(wards, primary)
        acknowledged = [form_id for ward in wards for form_id in ward.acknowledged]
        begun = time.monotonic()
        standby.run("pg_ctl", "promote", "-w", "-D", str(standby.data))
        wait_until_promoted(standby)
        seconds = round(time.monotonic() - begun, 1)
        with serving_from(standby):
            stored: set[uuid.UUID] = set().union(*(ward.stored() for ward in wards))
            if lost := set(acknowledged) - stored:
                raise OperationsError(f"{len(lost)} acknowledged saves are lost.")
            _, faults = verify_site()
            if faults:
                raise OperationsError("\n".join(faults))
            unanswered = len(stored) - len(acknowledged) - CLIENTS  # each admission is an act
            wards[0].save(1)
        return {
            "acknowledged": len(acknowledged),
            "lost": 0,
            "stored and never answered": unanswered,
            "promoted in seconds": seconds,
        }


def _follow(standby: LocalServer, primary: LocalServer) -> None:
    """Copy the primary, start the copy as its standby, and let each commit wait for it."""
    there = f"host={primary.socket_directory} port=5432 user={USER} application_name={STANDBY}"
    standby.run(
        "pg_basebackup", "--write-recovery-conf", "--checkpoint=fast", "--no-password",
        f"--pgdata={standby.data}", f"--dbname={there}",
    )  # fmt: skip
    standby.start()
    write_settings(
        primary, {"synchronous_standby_names": STANDBY, "synchronous_commit": "remote_apply"}
    )
    deadline = time.monotonic() + STOPS_WITHIN_S
    with primary.connect() as there_now:
        there_now.execute("SELECT pg_reload_conf()")
        while (
            there_now.execute(
                "SELECT FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'"
            ).rowcount
            < 1
        ):
            if time.monotonic() > deadline:
                raise OperationsError("The standby does not follow.")
            time.sleep(0.1)


def _save_until_killed(wards: list[Ward], primary: LocalServer) -> None:
    def save_on(ward: Ward) -> None:
        with suppress(DatabaseError):
            while True:
                ward.save(1)
        with suppress(DatabaseError):
            connection.close()

    clients = [threading.Thread(target=save_on, args=[ward]) for ward in wards]
    for client in clients:
        client.start()
    time.sleep(UNDER_LOAD_S)
    if not all(client.is_alive() for client in clients):
        raise OperationsError("A client ended before the primary was killed.")
    kill(primary)
    for client in clients:
        client.join(STOPS_WITHIN_S)
        if client.is_alive():
            raise OperationsError("A client waits for the killed server for ever.")

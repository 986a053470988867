"""A drill of two machines: the second hangs, ends and comes back; then the first is killed."""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from django.core.management import call_command
from django.db import DatabaseError, connection

from crs_app.local_postgres import NAME, USER, LocalServer
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
from crs_app.operations.programs import Address, OperationsError
from crs_app.operations.restore import Report
from crs_app.operations.standby import put_back, take_out
from crs_app.operations.verified import verify_site
from crs_app.outages import NotConfirmedError, SecondMachineAwayError, find_in_chain

CLIENTS: Final = 4
UNDER_LOAD_S: Final = 5
WITHOUT_S: Final = 2
STANDBY: Final = "standby"


@dataclass
class _Load:
    """What clients were answered that save without a pause, each to a course of its own."""

    wards: list[Ward]
    refused: int = 0
    not_confirmed: set[uuid.UUID] = field(default_factory=set)
    has_ended: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def acknowledged(self) -> int:
        return sum(len(ward.acknowledged) for ward in self.wards)

    def save_on(self, ward: Ward) -> None:
        """Save until the server is gone; what was refused or not confirmed is sent again."""
        form_id = uuid.uuid4()
        with suppress(DatabaseError):
            while not self.has_ended.is_set():
                try:
                    ward.save_form(form_id)
                except DatabaseError as error:
                    if not self._note(error, form_id):
                        break
                    time.sleep(0.1)
                else:
                    form_id = uuid.uuid4()
        with suppress(DatabaseError):
            connection.close()

    def _note(self, error: DatabaseError, form_id: uuid.UUID) -> bool:
        """Count the answer to the client; return False where the server is gone."""
        with self._lock:
            if find_in_chain(error, SecondMachineAwayError):
                self.refused += 1
            elif find_in_chain(error, NotConfirmedError):
                self.not_confirmed.add(form_id)
            else:
                return False
        return True


def drill_standby(report: Report) -> dict[str, object]:
    """Save from several clients while the standby hangs, ends and returns; then kill the primary.

    Saves go through the application's own path: refused while no standby answers, not confirmed
    where it hangs in the middle of one. The standby is promoted and compared form by form.

    :raises OperationsError: where an acknowledged save is missing on the standby, or one is stored
        twice.
    """
    with new_cluster() as primary, new_cluster(is_empty=True) as standby:
        primary.start()
        primary.create_database()
        with serving_from(primary):
            call_command("migrate", verbosity=0)
            wards = [open_ward(f"DRILL-{number}") for number in range(CLIENTS)]
            follow(standby, primary)
            report("The standby follows; each save waits until it has applied it.")
            load = _Load(wards)
            with _clients(load, primary):
                _trouble_the_standby(load, standby, _keeper_of(primary), report)
                time.sleep(UNDER_LOAD_S)
        acknowledged = [form_id for ward in wards for form_id in ward.acknowledged]
        begun = time.monotonic()
        standby.run("pg_ctl", "promote", "-w", "-D", str(standby.data))
        wait_until_promoted(standby)
        seconds = round(time.monotonic() - begun, 1)
        # The copy has the settings of the first machine: no standby follows this one.
        with serving_from(standby):
            take_out("drill: the first machine is lost", _keeper_of(standby))
            unanswered = _compare(wards, acknowledged)
            wards[0].save(1)
        return {
            "acknowledged": len(acknowledged),
            "lost": 0,
            "stored twice": 0,
            "refused before it began": load.refused,
            "not confirmed": len(load.not_confirmed),
            "stored and never answered": unanswered,
            "promoted in seconds": seconds,
        }


def _trouble_the_standby(
    load: _Load, standby: LocalServer, keeper: Address, report: Report
) -> None:
    time.sleep(WITHOUT_S)
    with standby.connect() as there:
        (receiver,) = there.execute("SELECT pid FROM pg_stat_wal_receiver").fetchone() or (0,)
    os.kill(receiver, signal.SIGSTOP)
    try:
        _wait_until(lambda: len(load.not_confirmed) >= 1 and load.refused > 0)
    finally:
        os.kill(receiver, signal.SIGCONT)
    _wait_until_saved_again(load)
    report(f"The standby hung: {len(load.not_confirmed)} not confirmed, {load.refused} refused.")
    standby.stop()
    refused = load.refused
    _wait_until(lambda: load.refused > refused)
    take_out("drill: the standby has ended", keeper)
    _wait_until_saved_again(load)
    report("The standby ended: saves were refused, and went on once it was taken out.")
    standby.start()
    _wait_until(lambda: _follows(keeper, "state = 'streaming'"))
    put_back(STANDBY, "drill: the standby is back", keeper)
    _wait_until_saved_again(load)
    report("The standby is back: each save waits for it again.")


def _compare(wards: list[Ward], acknowledged: list[uuid.UUID]) -> int:
    """Compare what the promoted standby has; return how many saves were stored, never answered."""
    stored = [form_id for ward in wards for form_id in ward.course.acts.values_list("form_id")]
    forms = {form_id for (form_id,) in stored}
    if lost := set(acknowledged) - forms:
        raise OperationsError(f"{len(lost)} acknowledged saves are lost.")
    if len(forms) < len(stored):
        raise OperationsError(f"{len(stored) - len(forms)} saves are stored twice.")
    _, faults = verify_site()
    if faults:
        raise OperationsError("\n".join(faults))
    return len(forms) - len(set(acknowledged)) - CLIENTS  # each admission is an act


def _keeper_of(server: LocalServer) -> Address:
    return Address(
        {"host": str(server.socket_directory), "port": "5432", "user": USER, "dbname": NAME}
    )


def follow(standby: LocalServer, primary: LocalServer) -> None:
    """Copy the primary, start the copy as its standby, and let each save wait for it."""
    there = f"host={primary.socket_directory} port=5432 user={USER} application_name={STANDBY}"
    write_settings(primary, {"synchronous_standby_names": STANDBY})
    standby.run(
        "pg_basebackup", "--write-recovery-conf", "--checkpoint=fast", "--no-password",
        f"--pgdata={standby.data}", f"--dbname={there}",
    )  # fmt: skip
    standby.start()
    keeper = _keeper_of(primary)
    with keeper.connect() as there_now:
        there_now.execute("SELECT pg_reload_conf()")
    _wait_until(lambda: _follows(keeper, "sync_state = 'sync' AND state = 'streaming'"))


def _follows(keeper: Address, condition: str) -> bool:
    with keeper.connect() as there:
        found = there.execute(f"SELECT FROM pg_stat_replication WHERE {condition}")
        return found.rowcount > 0


@contextmanager
def _clients(load: _Load, primary: LocalServer) -> Iterator[None]:
    """Let clients save during the block; kill the server at its end, while they do."""
    clients = [threading.Thread(target=load.save_on, args=[ward]) for ward in load.wards]
    for client in clients:
        client.start()
    try:
        yield
        if not all(client.is_alive() for client in clients):
            raise OperationsError("A client ended before the primary was killed.")
        kill(primary)
    finally:
        load.has_ended.set()
        for client in clients:
            client.join(STOPS_WITHIN_S)
    if any(client.is_alive() for client in clients):
        raise OperationsError("A client waits for the killed server for ever.")


def _wait_until_saved_again(load: _Load) -> None:
    before = load.acknowledged()
    _wait_until(lambda: load.acknowledged() >= before + CLIENTS)


def _wait_until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + STOPS_WITHIN_S
    while not done():
        if time.monotonic() > deadline:
            raise OperationsError("What the drill waits for did not happen within 30 s.")
        time.sleep(0.05)

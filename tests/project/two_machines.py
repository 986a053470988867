"""Two PostgreSQL servers, the second a standby of the first, and the site on the first."""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from psycopg import sql

from crs_app.accounts.models import User
from crs_app.local_postgres import USER, WEB, LocalServer, socket_address
from crs_app.operations.drill_clusters import new_cluster, write_settings
from crs_app.second_machine import let_acts_alone_wait
from patients.models import Course
from tests.entry_forms import url
from tests.factories import UserFactory, admit

STANDBY = "standby"
_CARELESS = {"fsync": "off", "full_page_writes": "off", "max_standby_streaming_delay": "1s"}


@dataclass
class Machines:
    """The first machine, which the site uses, its standby, and a nurse with a course."""

    primary: LocalServer
    standby: LocalServer
    database: str
    nurse: User
    course: Course
    client: Client

    def save(self, **fields: str) -> HttpResponse:
        """Send a set of vital signs as htmx does."""
        sent = {"form_id": str(uuid.uuid4()), "attribution": "crs", "temperature_unit": "c"}
        address = url("entries", self.course, "vitals")
        return self.client.post(address, sent | fields, headers={"HX-Request": "true"})

    def ask(self, server: LocalServer, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask a server as its superuser."""
        with server.connect(self.database) as there:
            cursor = there.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def rates(self, server: LocalServer) -> list[str]:
        """The heart rates that a server shows, in the order of recording."""
        rows = self.ask(
            server,
            "SELECT body->>'heart_rate' FROM patients_entry WHERE body ? 'heart_rate' AND"
            " course_id = %s ORDER BY recorded_at",
            self.course.pk,
        )
        return [rate for (rate,) in rows]

    def need_standby(self) -> None:
        """Let each act wait until the standby shows it."""
        self._alter("SET synchronous_standby_names = 'standby'")
        wait_until(lambda: self.state() == "confirms")

    def need_nothing(self) -> None:
        """Let no act wait, and those that wait go on."""
        self._alter("RESET synchronous_standby_names")
        wait_until(lambda: self.state() == "not needed")
        busy = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        wait_until(lambda: not self.ask(self.primary, busy))

    def _alter(self, change: str) -> None:
        with self.primary.connect(self.database) as there:
            there.execute(sql.SQL("ALTER SYSTEM {}").format(sql.SQL(change)))
            there.execute("SELECT pg_reload_conf()")

    def state(self) -> str:
        return str(self.ask(self.primary, "SELECT second_machine_state()")[0][0])

    @contextmanager
    def frozen_standby(self) -> Iterator[None]:
        """Stop the process of the standby that receives, as a machine that hangs."""
        found = self.ask(self.standby, "SELECT pid FROM pg_stat_wal_receiver")
        os.kill(found[0][0], signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(found[0][0], signal.SIGCONT)
            wait_until(lambda: self.state() in ("confirms", "not needed"))

    @contextmanager
    def stopped_standby(self) -> Iterator[None]:
        self.standby.stop()
        try:
            yield
        finally:
            self.standby.start()
            self.wait_until_followed()

    def wait_until_followed(self) -> None:
        following = "SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'"
        wait_until(lambda: bool(self.ask(self.primary, following)))


def wait_until(done: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def two_machines() -> Iterator[Machines]:
    """Copy the server of the tests twice: a first machine, and a second one that follows it."""
    name = connection.settings_dict["NAME"]
    with new_cluster(is_empty=True) as primary, new_cluster(is_empty=True) as standby:
        _copy(primary, connection.settings_dict["HOST"])
        (primary.data / "standby.signal").unlink(missing_ok=True)
        write_settings(primary, _CARELESS)
        primary.start()
        _copy(standby, str(primary.socket_directory), "--write-recovery-conf")
        standby.start()
        with using(primary, name):
            let_acts_alone_wait()
            connection.close()
            nurse = UserFactory(username="nurse-of-two")
            client = Client(raise_request_exception=False)
            client.force_login(nurse)
            machines = Machines(primary, standby, name, nurse, admit(nurse), client)
            machines.wait_until_followed()
            yield machines


def _copy(server: LocalServer, host: str, *more: str) -> None:
    there = f"host={host} port=5432 user={USER} application_name={STANDBY}"
    server.run(
        "pg_basebackup", "--checkpoint=fast", "--no-sync", "--no-password", *more,
        f"--pgdata={server.data}", f"--dbname={there}",
    )  # fmt: skip


@contextmanager
def using(server: LocalServer, name: str) -> Iterator[None]:
    """Let every connection of this process be the web role's at ``server``."""
    before = dict(connection.settings_dict)
    options = {key: value for key, value in before["OPTIONS"].items() if key != "options"}
    connection.close()
    there: dict[str, Any] = {**socket_address(server), "NAME": name, "USER": WEB}
    connection.settings_dict.update(there, OPTIONS=options)
    owner, keeper = settings.OWNER_DATABASE, settings.KEEPER_DATABASE
    superuser = {"OPTIONS": {}, **there, "USER": USER}
    settings.OWNER_DATABASE = settings.KEEPER_DATABASE = superuser
    try:
        yield
    finally:
        with suppress(psycopg.Error):
            connection.close()
        connection.settings_dict.clear()
        connection.settings_dict.update(before)
        settings.OWNER_DATABASE, settings.KEEPER_DATABASE = owner, keeper

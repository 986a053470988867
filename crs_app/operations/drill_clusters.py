"""New PostgreSQL clusters for drills, and a ward of one course whose saves are counted."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.utils import timezone

from crs_app.accounts.models import Role, User
from crs_app.accounts.wards import let_work_everywhere
from crs_app.local_postgres import NAME, OWNER, USER, WEB, LocalServer, socket_address
from crs_app.operations.programs import OperationsError
from patients.models import Course, EntryKind
from patients.recording.admit import Admission, admit_patient
from patients.recording.inputs import NewEntry, Submission
from patients.recording.record import record_entries

SCRIPTS: Final = settings.BASE_DIR / "deploy"
STOPS_WITHIN_S: Final = 30


@dataclass
class Ward:
    """One course of a new database, and the form ids of the saves that were acknowledged."""

    nurse: User
    course: Course
    acknowledged: list[uuid.UUID] = field(default_factory=list)
    temperatures: dict[uuid.UUID, str] = field(default_factory=dict)

    def save(self, times: int) -> None:
        for _ in range(times):
            self.save_form(uuid.uuid4())

    def save_form(self, form_id: uuid.UUID) -> None:
        """Save one form as the bedside page does; a form sent again is stored once."""
        if form_id not in self.temperatures:
            tenths = len(self.acknowledged) % 30
            self.temperatures[form_id] = f"{37 + tenths // 10}.{tenths % 10}"
        sign = NewEntry(
            EntryKind.VITALS,
            timezone.now() - timedelta(minutes=1),
            {"temperature_c": self.temperatures[form_id]},
        )
        record_entries(self.course, [sign], Submission(by=self.nurse, form_id=form_id))
        self.acknowledged.append(form_id)

    def stored(self) -> set[uuid.UUID]:
        return set(self.course.acts.values_list("form_id", flat=True))


@contextmanager
def new_cluster(*, is_empty: bool = False) -> Iterator[LocalServer]:
    """Yield a PostgreSQL that waits for its disk, in a folder that is removed afterwards.

    An empty one has no cluster yet, for a copy of another one.
    """
    # A short name: the path of a socket has a limit.
    home = Path(tempfile.mkdtemp(prefix="crs-", dir="/tmp"))  # nosec B108
    server = LocalServer(home)
    if server.account:
        os.chown(home, server.account.pw_uid, server.account.pw_gid)
    try:
        if not is_empty:
            server.prepare()
        for script in SCRIPTS.glob("*.sh"):
            shutil.copy(script, home / script.name)
            (home / script.name).chmod(0o755)
        yield server
    finally:
        connection.close()
        with suppress(Exception):
            server.run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", str(server.data))
        shutil.rmtree(home, ignore_errors=True)


def write_settings(server: LocalServer, values: Mapping[str, str]) -> None:
    """Add settings of PostgreSQL, which hold from the next start on."""
    with (server.data / "postgresql.auto.conf").open("a") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in values.items())


def script(server: LocalServer, name: str, variables: Mapping[str, str]) -> str:
    """Run one of the scripts of ``deploy`` as the server's account; return what it prints."""
    options = server.process_options()
    printed: str
    programs = str(Path(server.program("postgres")).parent)
    options["env"] |= {
        "PATH": os.pathsep.join([programs, os.environ.get("PATH", os.defpath)]),
        "PGHOST": str(server.socket_directory),
        "PGUSER": USER,
        **variables,
    }
    finished = subprocess.run(
        ["/bin/sh", str(server.home / name)], capture_output=True, text=True, check=False, **options
    )
    if finished.returncode:
        raise OperationsError(f"{name} failed: {finished.stderr.strip()}")
    printed = finished.stdout
    return printed.strip()


@contextmanager
def serving_from(server: LocalServer) -> Iterator[None]:
    """Let the application of this process, as web role and as owner, use another server."""
    before, owner = dict(connection.settings_dict), settings.OWNER_DATABASE
    there: dict[str, Any] = {"NAME": NAME, **socket_address(server)}
    connection.close()
    connection.settings_dict.update(there, USER=WEB)
    settings.OWNER_DATABASE = {"OPTIONS": {}, **there, "USER": OWNER}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)
        settings.OWNER_DATABASE = owner


def open_ward(mrn: str = "DRILL-1") -> Ward:
    """Create a nurse and admit one patient, through the application's own functions."""
    nurse = User.objects.create_user(mrn.lower(), role=Role.WARD_CLINICIAN, last_name=mrn)
    let_work_everywhere(nurse)
    admission = Admission(
        mrn=mrn, name="DRILL, One", sex="female", product="axicabtagene ciloleucel",
        infused_at=timezone.now().replace(second=0, microsecond=0) - timedelta(days=1),
        ward="Drill", bed="1", birth_date=datetime(1970, 3, 1, tzinfo=UTC).date(),
    )  # fmt: skip
    weight = NewEntry(EntryKind.WEIGHT, admission.infused_at, {"weight_kg": "80"})
    admitted = admit_patient(admission, [weight], Submission(by=nurse, form_id=uuid.uuid4()))
    return Ward(nurse, admitted.course)


def kill(server: LocalServer) -> None:
    """End the server as a loss of its machine would: at once, with all of its processes."""
    pid_file = server.data / "postmaster.pid"
    pid = int(pid_file.read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + STOPS_WITHIN_S
    while server.is_up():
        if time.monotonic() > deadline:
            raise OperationsError("The killed server still answers.")
        time.sleep(0.1)
    time.sleep(1)  # its processes see that it is gone
    for left in (pid_file, *server.socket_directory.glob(".s.PGSQL.*")):
        left.unlink(missing_ok=True)


def wait_until_promoted(server: LocalServer) -> None:
    """Wait until the server takes writes."""
    deadline = time.monotonic() + STOPS_WITHIN_S
    while time.monotonic() < deadline:
        with server.connect() as there:
            if there.execute("SELECT pg_is_in_recovery()").fetchone() == (False,):
                return
        time.sleep(0.1)
    raise OperationsError("The recovered server does not take saves.")

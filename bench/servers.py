"""The servers that are measured: PostgreSQL with its defaults, gunicorn with two workers."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from crs_app.local_postgres import NAME, PORT, USER, DatabaseServerError, LocalServer

BASE_DIR: Final = Path(__file__).resolve().parent.parent
HOST: Final = "127.0.0.1"
WORKERS: Final = 2
THREADS: Final = 4
_START_TIMEOUT_S: Final = 60


class BenchError(RuntimeError):
    """A wrong answer of a server that is measured; the message says which."""


@contextmanager
def database() -> Iterator[LocalServer]:
    """Yield a new PostgreSQL with fsync on, as a hospital runs it; remove it afterwards."""
    home = Path(tempfile.mkdtemp(prefix="crs-bench-", dir="/tmp"))
    server = LocalServer(home)
    if server.account:
        os.chown(home, server.account.pw_uid, server.account.pw_gid)
    try:
        server.start()
        server.create_database()
        yield server
    finally:
        if server.is_up():
            server.stop()
        shutil.rmtree(home, ignore_errors=True)


def kill(pid: int) -> None:
    """Kill a child of this process by ``kill -9``, and wait until its sockets are closed."""
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def kill_database(server: LocalServer) -> None:
    """Kill a local PostgreSQL by ``kill -9``, and start it again."""
    pid = int((server.data / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + _START_TIMEOUT_S
    while True:
        try:
            server.start()
        except DatabaseServerError:  # its processes have not all ended yet
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


def address_of(server: LocalServer, user: str = USER) -> str:
    """Return the DATABASE_URL of a local server for one of its roles."""
    return f"postgresql:///{NAME}?host={server.socket_directory}&port={PORT}&user={user}"


def free_port() -> int:
    """Return a port of this machine on which nothing listens."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def gunicorn(application: str, environment: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    """Run a server of ``application``; yield its port and the process id of its master."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "gunicorn", application, "--bind", f"{HOST}:{port}"),
        *("--workers", str(WORKERS), "--threads", str(THREADS), "--log-level", "warning"),
    ]
    with running(command, environment, port) as pid:
        yield port, pid


@contextmanager
def running(command: Sequence[str], environment: Mapping[str, str], port: int) -> Iterator[int]:
    """Run a process that listens on ``port`` for the length of the block; yield its id."""
    process = subprocess.Popen(command, cwd=BASE_DIR, env=os.environ | environment)
    try:
        _wait_until_listening(process, port)
        yield process.pid
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        if process.poll() is None:
            process.kill()
            process.wait()


def _wait_until_listening(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise BenchError(f"the server on port {port} ended with {process.returncode}")
        with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.02)
    raise BenchError(f"nothing listens on port {port} after {_START_TIMEOUT_S} s")


def children_of(pid: int) -> list[int]:
    """Return the processes that ``pid`` started; empty where the system has no /proc."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in listed.read_text().split()] if listed.exists() else []


def memory_mb(pid: int) -> float:
    """Return a process's proportional set size in MB: shared pages count by its share."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise BenchError(f"the system does not show the memory of process {pid}")

"""The site of a run: a copy of the source, its web server, and a supervisor that restarts it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Final

from bench.client import Client
from bench.servers import HOST
from chaos.checkout import SOURCE
from chaos.ward import Ward
from crs_app.local_postgres import LocalServer

UP_WITHIN_S: Final = 300
_LOOKS_EVERY_S: Final = 0.2
_ENDS_WITHIN_S: Final = 40


class ChaosError(RuntimeError):
    """The site does not come back, or a step cannot be done; the message says which."""


@dataclass
class Site:
    """A copy of the source in ``folder``, served at ``port`` on ``database``.

    ``command`` starts the web server; without one it is started as in the image of the product.
    ``environment`` is that of its processes, ``serving`` the web server's master, ``log`` the file
    that it writes to. ``ended_by_itself`` counts how often the master ended without a kill.
    """

    folder: Path
    port: int
    log: Path
    database: LocalServer
    environment: dict[str, str]
    command: Sequence[str] = ()
    serving: subprocess.Popen[bytes] | None = None
    ended_by_itself: int = 0
    _is_killed: bool = False
    _starting: Lock = field(default_factory=Lock)

    @property
    def master(self) -> int:
        """The process id of the web server's master."""
        if self.serving is None:
            raise ChaosError("The web server was not started.")
        return self.serving.pid

    def start(self) -> None:
        """Start the web server."""
        command = self.command or [
            *(sys.executable, "-m", "gunicorn", "crs_app.wsgi", "--bind", f"{HOST}:{self.port}"),
            *("--config", "python:crs_app.gunicorn_config", "--log-level", "warning"),
        ]
        with self.log.open("ab") as log:
            self.serving = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )

    def kill_master(self) -> None:
        """Kill the master; the supervisor starts another one."""
        with self._starting:
            self._is_killed = True
            os.kill(self.master, signal.SIGKILL)

    def restart(self) -> None:
        """End the web server in order and start it, as after a change of its settings."""
        with self._starting:
            self.end()
            self.start()

    def end(self) -> None:
        """End the web server in order."""
        if self.serving is None:
            return
        self.serving.terminate()
        try:
            self.serving.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.serving.kill()
            self.serving.wait()

    @contextmanager
    def supervised(self) -> Iterator[None]:
        """Start the web server again whenever its master has ended, until the block is left."""
        over = Event()
        thread = Thread(target=self._supervise, args=[over], daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _supervise(self, over: Event) -> None:
        while not over.wait(_LOOKS_EVERY_S):
            with self._starting:
                if self.serving is None or self.serving.poll() is None:
                    continue
                if not self._is_killed:
                    self.ended_by_itself += 1
                if self._port_is_free():
                    self._is_killed = False
                    self.start()

    def _port_is_free(self) -> bool:
        """Workers of a killed master end by themselves, within seconds."""
        try:
            socket.create_connection((HOST, self.port), timeout=1).close()
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
        return False

    def is_ready(self) -> bool:
        with suppress(OSError):
            return Client(self.port, timeout_s=10).get("/readyz").status == 200
        return False

    def wait_until_ready(self) -> float:
        """Wait until the site can serve; return after how many seconds it could.

        :raises ChaosError: where it does not come back.
        """
        begun = time.monotonic()
        while not self.is_ready():
            if time.monotonic() - begun > UP_WITHIN_S:
                end = self.log.read_text(errors="replace")[-2000:]
                raise ChaosError(f"The site does not come back within {UP_WITHIN_S} s:\n{end}")
            time.sleep(0.1)
        return time.monotonic() - begun

    def prepare(self) -> None:
        """Create the tables, and collect the files of the pages."""
        self.run("manage.py", "migrate", "--verbosity", "0")
        self.run("manage.py", "collectstatic", "--noinput", "--verbosity", "0")

    def fill(self, nurses: int, courses: int) -> Ward:
        """Create nurses and courses."""
        printed = self.run("-m", "chaos.ward", str(nurses), str(courses))
        return Ward.parse(printed.strip().splitlines()[-1])

    def verify(self) -> str:
        """Verify every stored grade and the whole record; return the figures in one line.

        :raises ChaosError: where something differs.
        """
        return self.run("manage.py", "verify_site").strip()

    def run(self, *words: str) -> str:
        """Run Python in the folder of the copy; return what it prints."""
        finished = subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            env={**self.environment, "PYTHONPATH": str(SOURCE)},
            capture_output=True,
            text=True,
            check=False,
        )
        if finished.returncode:
            raise ChaosError(f"{' '.join(words)} failed:\n{finished.stdout}{finished.stderr}")
        return finished.stdout


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a served copy: none of this process's settings of the product."""
    ours = ("CRS_", "DATABASE_URL", "DJANGO_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "CRS_TIME_ZONE": "UTC", **(more or {})}

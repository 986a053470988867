"""The processes of a served site: web workers, the postmaster, and its backends."""

from __future__ import annotations

import re
import subprocess
from typing import Final

from crs_app.local_postgres import NAME, WEB, LocalServer

_OF_SITE: Final = re.compile(rf"\b{WEB} {NAME} ")


def workers_of(master: int) -> list[int]:
    """Return the web workers of a gunicorn, by the process id of its master."""
    return [pid for pid in _children(master) if "gunicorn" in _command(pid)]


def postmaster_of(server: LocalServer) -> int:
    """Return the process id of a PostgreSQL; raise FileNotFoundError where it does not run."""
    return int((server.data / "postmaster.pid").read_text().split("\n")[0])


def backends_of(server: LocalServer) -> list[int]:
    """Return the processes that serve connections of the site."""
    found = _children(postmaster_of(server))
    return [pid for pid in found if _OF_SITE.search(_command(pid))]


def _children(pid: int) -> list[int]:
    listed = subprocess.run(
        ["/bin/ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    )
    pairs = [line.split() for line in listed.stdout.splitlines()]
    return [int(child) for child, parent in pairs if int(parent) == pid]


def _command(pid: int) -> str:
    listed = subprocess.run(
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listed.stdout

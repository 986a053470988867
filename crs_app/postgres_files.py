"""Files of a PostgreSQL that was killed, or copied while it ran, which keep it from starting."""

from __future__ import annotations

import os
from pathlib import Path

from crs_app.machine import command_line


def disown_stale_files(data: Path, socket_lock: Path) -> None:
    """Free ``data`` and the lock of its socket from a process that does not serve ``data``.

    The folder of the socket belongs to this cluster alone. A lock in it that names another process
    was left by a killed server, or came with a copy of a running one.
    """
    if socket_lock.exists() and not _serves(_process_in(socket_lock), data):
        socket_lock.unlink()
    _disown_pid_file(data)


def is_in_the_way(failure: str) -> bool:
    """Return whether a start failed by what a killed server left, which ends by itself."""
    return "lock file" in failure or "shared memory block" in failure


def _disown_pid_file(data: Path) -> None:
    """Write our own process id into the pid file of a killed server.

    PostgreSQL refuses to start while the process named in the file lives, even when the system
    has reused that number for an unrelated process since. It accepts the id of its own
    grandparent, which pg_ctl passes on, and still verifies that no child of the killed server
    uses the data: so the file is changed, not deleted.
    """
    pid_file = data / "postmaster.pid"
    if not pid_file.exists() or _serves(_process_in(pid_file), data):
        return
    _, *rest = pid_file.read_text().splitlines() or [""]
    pid_file.write_text("\n".join([str(os.getpid()), *rest, ""]))


def _process_in(file: Path) -> int | None:
    first = file.read_text().partition("\n")[0].strip()
    return int(first) if first.isdigit() else None


def _serves(pid: int | None, data: Path) -> bool:
    return pid is not None and str(data) in command_line(pid)

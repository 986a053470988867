"""Accounts, folders and processes of the machine that runs this."""

from __future__ import annotations

import pwd
import subprocess
from contextlib import suppress
from pathlib import Path


def others_may_enter(path: Path) -> bool:
    """Return whether every account may enter a folder and those above it."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def command_line(pid: int) -> str:
    """Return a process's command line; empty when there is none, or a dead one not yet reaped."""
    processes = Path("/proc")
    if (processes / "self").exists():
        with suppress(OSError):
            return (processes / str(pid) / "cmdline").read_text(errors="replace")
        return ""
    listed = subprocess.run(
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listed.stdout


def account_name(uid: int) -> str:
    """Return the name of an account; "user 1000" where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"

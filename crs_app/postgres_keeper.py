"""Process that starts the local PostgreSQL again after a crash, while the web server serves.

The web server starts it with a pipe and keeps the other end open, in its workers too. When all of
them have ended, however they did, the pipe closes and the keeper ends: as the last user of the
server it then stops it.
"""

from __future__ import annotations

import logging.config
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Final

from crs_app.local_postgres import (
    BASE_DIR,
    DatabaseServerError,
    ensure_server,
    restart_if_crashed,
)
from crs_app.logs import TO_STDERR

_LOG: Final = logging.getLogger("crs_app.postgres_keeper")
LOOKS_EVERY_S: Final = 0.5
_AFTER_A_FAILURE_AT_MOST_S: Final = 10.0
_ENDS_WITHIN_S: Final = 30


def start_keeper() -> subprocess.Popen[bytes] | None:
    """Start the process; None where a hospital's own database serves."""
    if os.environ.get("DATABASE_URL"):
        return None
    command = [sys.executable, "-m", "crs_app.postgres_keeper"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, cwd=BASE_DIR)


def end_keeper(keeper: subprocess.Popen[bytes] | None) -> None:
    """Close the pipe and wait until the process has ended."""
    if keeper is None or keeper.stdin is None:
        return
    keeper.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        keeper.wait(_ENDS_WITHIN_S)


def keep() -> None:
    """Look at the server until the pipe closes; the web server's own signals are not for us."""
    logging.config.dictConfig(TO_STDERR)
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)
    pause = LOOKS_EVERY_S
    while not _has_closed(pause):
        try:
            ensure_server()
            if restart_if_crashed():
                _LOG.warning("PostgreSQL had ended by a crash and was started again")
            pause = LOOKS_EVERY_S
        except (DatabaseServerError, OSError) as error:
            # No space on the disk, for example: it is tried again until there is some.
            pause = min(max(pause, 1.0) * 2, _AFTER_A_FAILURE_AT_MOST_S)
            _LOG.error("PostgreSQL does not start, next try in %.0f s: %.300s", pause, error)


def _has_closed(seconds: float) -> bool:
    readable, _, _ = select.select([0], [], [], seconds)
    return bool(readable) and not os.read(0, 1)


if __name__ == "__main__":
    keep()

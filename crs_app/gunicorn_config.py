"""Configuration of gunicorn, for ``manage.py run`` and for the image.

It needs no settings of Django: gunicorn reads it before the application.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

from crs_app.logs import TO_STDERR
from crs_app.metrics.shared import (
    keep_counts_of_ended,
    prepare_folder,
    remove_folder,
    reserve_files,
)
from crs_app.postgres_keeper import end_keeper, start_keeper

workers = 2
threads = 4
# A heartbeat on a disk can stop a worker that waits for it; memory cannot.
# Gunicorn makes a file there that nobody else can open.
_MEMORY = "/dev/shm"  # nosec B108 # noqa: S108
worker_tmp_dir = _MEMORY if Path(_MEMORY).is_dir() else None

# Requests: crs_app.request_limits bounds the rest.
limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 8190

# An access log is off; where a site turns it on, it has no query: that can hold a patient's name.
access_log_format = '%(h)s %(t)s "%(m)s %(U)s" %(s)s %(B)s %(M)s ms'
# The same lines as Django's: never the message of an error, never what was sent. The level of
# gunicorn's own is that of --log-level.
logconfig_dict = TO_STDERR | {
    "loggers": {"gunicorn.error": {"handlers": ["stderr"], "propagate": False}},
}

_keepers: list[subprocess.Popen[bytes] | None] = []


def on_starting(server: Any) -> None:
    """Make the folder in which workers count; without it each of them counts alone."""
    try:
        prepare_folder()
    except OSError as error:
        server.log.error("Web processes count each for itself: %s", type(error).__name__)


def post_fork(server: Any, _worker: Any) -> None:
    """Reserve the memory in which the new worker counts."""
    try:
        reserve_files()
    except OSError as error:
        server.log.error("This web process counts for itself alone: %s", type(error).__name__)


def post_worker_init(worker: Any) -> None:
    """Keep a thread of the new worker free, and a connection open.

    Both need Django, which the application has loaded by now, and this file must not load.
    """
    if "crs_app.wsgi" in sys.modules:
        from crs_app.serving import begin_to_serve

        begin_to_serve(worker.cfg.threads)


def child_exit(server: Any, _worker: Any) -> None:
    """Keep what ended workers counted; a fault here must not end the web server."""
    try:
        keep_counts_of_ended()
    except Exception as error:
        server.log.error("Counts of ended processes are not added up: %s", type(error).__name__)


def when_ready(_server: Any) -> None:
    """Start the process that keeps the local PostgreSQL running."""
    _keepers.append(start_keeper())


def on_exit(_server: Any) -> None:
    """End it with the web server."""
    while _keepers:
        end_keeper(_keepers.pop())
    remove_folder()

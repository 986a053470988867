"""Do one step of a plan to a site."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

import psycopg

from chaos.plan import Kill, Step
from chaos.processes import backends_of, postmaster_of, workers_of
from chaos.site import Site
from crs_app.local_postgres import NAME, WEB

_TERMINATE: Final = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s AND pid = ANY(%s)"
)
_CONNECTIONS: Final = "SELECT pid FROM pg_stat_activity WHERE usename = %s ORDER BY pid"


def do(step: Step, site: Site) -> bool:
    """Do ``step``; return whether a process was there for it."""
    with suppress(ProcessLookupError, FileNotFoundError, psycopg.OperationalError):
        return _HOW[step.kill](step, site)
    return False


def _kill(pids: Sequence[int]) -> bool:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return bool(pids)


def _one_of(found: Sequence[int], step: Step) -> list[int]:
    return [found[int(step.pick * len(found))]] if found else []


def _worker(step: Step, site: Site) -> bool:
    return _kill(_one_of(workers_of(site.master), step))


def _all_workers(_step: Step, site: Site) -> bool:
    return _kill(workers_of(site.master))


def _master(_step: Step, site: Site) -> bool:
    site.kill_master()
    return True


def _backend(step: Step, site: Site) -> bool:
    return _kill(_one_of(backends_of(site.database), step))


def _postmaster(_step: Step, site: Site) -> bool:
    return _kill([postmaster_of(site.database)])


def _terminate(step: Step, site: Site) -> bool:
    with site.database.connect(NAME) as connection:
        found = [pid for (pid,) in connection.execute(_CONNECTIONS, [WEB]).fetchall()]
        chosen = _one_of(found, step) if step.kill is Kill.TERMINATE_ONE else found
        connection.execute(_TERMINATE, [WEB, chosen])
    return bool(chosen)


def _pause_worker(step: Step, site: Site) -> bool:
    return _pause(_one_of(workers_of(site.master), step), step.paused_s)


def _pause_database(step: Step, site: Site) -> bool:
    postmaster = postmaster_of(site.database)
    return _pause([postmaster, *backends_of(site.database)], step.paused_s)


def _pause(pids: Sequence[int], seconds: float) -> bool:
    """Stop processes and let them go on; meanwhile they answer nothing and lose nothing."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    return bool(pids)


_HOW: Final[Mapping[Kill, Callable[[Step, Site], bool]]] = {
    Kill.WORKER: _worker,
    Kill.ALL_WORKERS: _all_workers,
    Kill.MASTER: _master,
    Kill.BACKEND: _backend,
    Kill.POSTMASTER: _postmaster,
    Kill.TERMINATE_ONE: _terminate,
    Kill.TERMINATE_ALL: _terminate,
    Kill.PAUSE_WORKER: _pause_worker,
    Kill.PAUSE_DATABASE: _pause_database,
}

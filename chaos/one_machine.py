"""PART=saves: one machine with its own PostgreSQL, as ``make run`` has it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.servers import free_port
from chaos import kills
from chaos.checkout import copy_source
from chaos.plan import ONE_MACHINE
from chaos.run import Load, Report, Say, run
from chaos.site import Site, environment
from crs_app.local_postgres import LocalServer

_COURSES: Final = 6
_SAVES_OF_A_COURSE: Final = 500


def prove(load: Load, say: Say) -> Report:
    """Serve a copy of the checkout, and do a run."""
    with served_copy() as site:
        site.prepare()
        ward = site.fill(load.nurses, courses_for(load))
        site.start()
        try:
            site.wait_until_ready()
            return run(site, ward, load, ONE_MACHINE, kills.do, say)
        finally:
            site.end()


@contextmanager
def served_copy() -> Iterator[Site]:
    """Yield a site in a folder with a short name that every account can reach."""
    with tempfile.TemporaryDirectory(prefix="crs-", dir="/tmp") as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        copy = copy_source(folder / "copy")
        database = LocalServer(copy / "var" / "postgres")
        yield Site(copy, free_port(), folder / "served.log", database, environment())


def courses_for(load: Load) -> int:
    """Return how many courses a run of that length fills to a length that wards have."""
    expected = min(load.saves, load.seconds * 40)
    return max(_COURSES, round(expected / _SAVES_OF_A_COURSE))

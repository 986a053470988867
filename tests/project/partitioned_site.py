"""A site that is converted to partitions: clients who save meanwhile, and processes to kill."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import StringIO
from threading import Event, Thread
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from crs_app.local_postgres import WEB
from patients.models import Course
from tests.factories import admit, chart
from tests.project.test_backup import Site

ROOT = settings.BASE_DIR


def convert_site(**options: Any) -> str:
    printed = StringIO()
    call_command("partition_charts", partitions=4, stdout=printed, **options)
    return printed.getvalue()


def owner_does(site: Site, statement: str, parameters: list[Any] | None = None) -> Any:
    with site.owner.connect() as there:
        done = there.execute(statement, parameters)
        return done.fetchall() if done.description else []


class Clients:
    """Nurses who save at the same time, each by a connection of its own.

    ``saved`` are the ids of the entries that were acknowledged, by nurse.
    """

    def __init__(self, site: Site, courses: list[Course]) -> None:
        self.site, self.courses = site, courses
        self.saved: list[list[uuid.UUID]] = [[] for _ in courses]
        self.failed: list[BaseException] = []
        self._stop = Event()

    @contextmanager
    def charting(self) -> Iterator[None]:
        threads = [Thread(target=self._chart, args=(n,)) for n in range(len(self.courses))]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()
        assert self.failed == []

    def _chart(self, number: int) -> None:
        try:
            while not self._stop.wait(0.02):
                course = self.courses[number]
                if len(self.saved[number]) == 3:  # a patient comes in the middle of it
                    course = admit(self.site.nurse, mrn=uuid.uuid4().hex[:12])
                done = chart(course, self.site.nurse, "vitals", temperature_c="38.5")
                self.saved[number].append(done.entries[0].pk)
        except Exception as error:
            self.failed.append(error)
        finally:
            connection.close()


def at_once(*tasks: Callable[[], Any]) -> list[Any]:
    """Run the tasks at the same time, each by its own connection; return results or errors."""

    def run(task: Callable[[], Any]) -> Any:
        try:
            return task()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


@contextmanager
def settings_of_owner(site: Site) -> Iterator[None]:
    before = connection.settings_dict["USER"]
    connection.close()
    connection.settings_dict["USER"] = site.owner.user
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["USER"] = before


def wait_until(is_so: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.05)


@contextmanager
def converting(site: Site) -> Iterator[subprocess.Popen[bytes]]:
    """Convert in a process of its own, which the block kills."""
    program = (
        "from crs_app.operations.partitions.convert import partition_charts\n"
        "from crs_app.operations.programs import Address\n"
        f"partition_charts(Address({dict(site.owner.parts)!r}), {WEB!r}, print, partitions=4)"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "crs_app.settings"}
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    ) as running:
        try:
            yield running
        finally:
            running.kill()

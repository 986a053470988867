from __future__ import annotations

import re
import time
from argparse import ArgumentTypeError
from datetime import datetime, timedelta
from datetime import time as time_of_day
from typing import Any

import psycopg
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error, connection
from django.utils import timezone

TASKS = ("backup", "verify_site")


class Command(BaseCommand):
    help = "Every night, until it is stopped: make a backup, then verify grades and record."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--at", type=_time_of_day, default=time_of_day(2, 30), metavar="HH:MM")
        parser.add_argument("--once", action="store_true", help="now, once, without waiting")

    def handle(self, *, at: time_of_day, once: bool, **_options: Any) -> None:
        while not once:
            wait_until(next_run(timezone.localtime(), at))
            self._run()
        if not self._run():
            raise CommandError("A part of the night's work failed: see above.")

    def _run(self) -> bool:
        """Run every task, also after one that failed; return whether all went well."""
        is_well = True
        for task in TASKS:
            try:
                call_command(task, stdout=self.stdout, stderr=self.stderr)
            except (CommandError, Error, psycopg.Error, OSError) as error:
                is_well = False
                self.stderr.write(f"{task} failed: {error}")
        connection.close()
        return is_well


def next_run(now: datetime, at: time_of_day) -> datetime:
    """Return the next ``at`` after ``now``, in the zone of ``now``."""
    today = datetime.combine(now.date(), at, now.tzinfo)
    return today if today > now else datetime.combine(now.date() + timedelta(1), at, now.tzinfo)


def wait_until(when: datetime) -> None:
    """Sleep in short turns, so that a clock that is set does not move the hour."""
    while (left := (when - timezone.now()).total_seconds()) > 0:
        time.sleep(min(left, 60))


def _time_of_day(text: str) -> time_of_day:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        raise ArgumentTypeError(f"{text!r} is no time of day like 02:30.")
    return time_of_day.fromisoformat(text)

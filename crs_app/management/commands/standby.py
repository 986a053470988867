from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from crs_app.operations.programs import OperationsError, keeper_address
from crs_app.operations.standby import describe, put_back, take_out


class Command(BaseCommand):
    help = (
        "Show whether saves wait for a second machine. --without takes it out: saves go on, those "
        "that wait too, and what is saved from now on is on the first machine alone. --with puts "
        "it back, once it follows. Both are recorded with --reason."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        change = parser.add_mutually_exclusive_group()
        change.add_argument("--without", action="store_true", help="take the second machine out")
        change.add_argument("--with", action="store_true", dest="is_put_back", help="put it back")
        parser.add_argument("--reason", default="", help="why, for the record")

    def handle(self, *, without: bool, is_put_back: bool, reason: str, **_options: Any) -> None:
        if (without or is_put_back) and not reason.strip():
            raise CommandError("Say why: --reason 'disk of the second machine is replaced'")
        try:
            keeper = keeper_address()
            if without:
                names = take_out(reason, keeper)
                self.stdout.write(
                    f"{names} was taken out. Saves go on, on this machine alone: what is saved "
                    "from now on is lost with it. Do not promote the second machine any more."
                )
            elif is_put_back:
                self._put_back(reason)
            for line in describe(keeper):
                self.stdout.write(line)
        except (OperationsError, psycopg.Error, Error) as error:
            raise CommandError(str(error)) from error

    def _put_back(self, reason: str) -> None:
        if not settings.SYNCHRONOUS_STANDBY:
            raise CommandError("Set CRS_SYNCHRONOUS_STANDBY to the name of the standby.")
        put_back(settings.SYNCHRONOUS_STANDBY, reason, keeper_address())
        self.stdout.write("The second machine was put back: each save waits for it again.")

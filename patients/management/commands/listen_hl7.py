"""Listen for HL7 v2 messages by MLLP."""

import asyncio
import logging
import signal
import time
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connections

from crs_app.arguments import LAST_PORT, whole_number
from crs_app.serving import begin_to_serve
from patients.exchange.mllp import Listener
from patients.models import ExternalSystem

_TRY_AGAIN_SECONDS: Final = 1


class Command(BaseCommand):
    help = "Listen for the HL7 v2 messages of one system by MLLP; TERM ends it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--system", required=True, metavar="NAME", help="who sends")
        parser.add_argument(
            "--port", type=whole_number(0, LAST_PORT), required=True, help="0 takes a free one"
        )
        parser.add_argument(
            "--host",
            default="127.0.0.1",
            help="the interface's address; MLLP has no sign-in and no encryption, so name the "
            "addresses of the system (page Systems) and end TLS in front (stunnel)",
        )

    def handle(self, *, system: str, host: str, port: int, **options: Any) -> None:
        found = self._system(system)
        if found is None:
            raise CommandError(f"no system has the name {system!r}")
        connections.close_all()  # the threads that receive have connections of their own
        logging.getLogger("patients.exchange.mllp").setLevel(logging.INFO)
        try:
            asyncio.run(_serve(found.pk, host, port, self._say))
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or "this is no address"
            raise CommandError(f"cannot listen on {host}, port {port}: {why}") from error

    def _system(self, name: str) -> ExternalSystem | None:
        """Return the system of that name; wait for a database that does not answer yet."""
        while True:
            try:
                return ExternalSystem.objects.filter(name=name).first()
            except OperationalError:
                self.stderr.write("The database does not answer; trying again")
                connections.close_all()
                time.sleep(_TRY_AGAIN_SECONDS)

    def _say(self, words: str) -> None:
        self.stdout.write(words)
        self.stdout.flush()


async def _serve(system_id: int, host: str, port: int, say: Any) -> None:
    listener = Listener(system_id)
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, listener.stopped.set)

    def begin(bound: int) -> None:
        begin_to_serve(threads=0)
        say(f"Listening for HL7 v2 on {host}, port {bound}")

    await listener.serve(host, port, begin)

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error, connection

from crs_app.arguments import whole_number
from crs_app.log_server import LogServer
from crs_app.record.send import RecordShrankError, send_new_events
from crs_app.time_limits import lift_for_long_job


class Command(BaseCommand):
    help = (
        "Send the events of the record that are new to the machine of CRS_LOG_SERVER, over TLS: "
        "once, or with --every until it is stopped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--every", type=whole_number(1, 86_400), default=0, metavar="SECONDS")

    def handle(self, *, every: int, **_options: Any) -> None:
        server = settings.LOG_SERVER
        if server is None:
            raise CommandError("Name the machine in CRS_LOG_SERVER, as tls://host:6514.")
        if not every:
            self._send(server)
            return
        while True:
            try:
                self._send(server)
            except CommandError as error:
                self.stderr.write(str(error))
            connection.close()
            time.sleep(every)

    def _send(self, server: LogServer) -> None:
        try:
            lift_for_long_job()
            count = send_new_events(server)
        except RecordShrankError as error:
            raise CommandError(f"{error} Nothing more is sent: see docs/operations.md.") from error
        except (OSError, Error) as error:
            # Not the message of the database: it can quote a row.
            why = error if isinstance(error, OSError) else type(error).__name__
            raise CommandError(f"The record was not sent: {why}") from error
        if count:
            self.stdout.write(f"Sent: {count} event(s).")

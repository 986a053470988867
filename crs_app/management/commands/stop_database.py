from typing import Any

from django.core.management.base import BaseCommand

from crs_app.local_postgres import stop_server


class Command(BaseCommand):
    help = "Stop the local PostgreSQL, should a killed command have left it running."
    requires_system_checks = ()

    def handle(self, **_options: Any) -> None:
        self.stdout.write("Stopped." if stop_server() else "It was not running.")

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from crs_app.accounts.factors.changes import RefusedError, remove_on_command_line


class Command(BaseCommand):
    help = "Remove the second factors of a user whose device is lost; other users: page Users."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *, username: str, **_options: Any) -> None:
        try:
            removed = remove_on_command_line(username, timezone.now())
        except RefusedError as refused:
            raise CommandError(str(refused)) from None
        self.stdout.write(f"Removed: {removed}. Every session of {username} has ended.")

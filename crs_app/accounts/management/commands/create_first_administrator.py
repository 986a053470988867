from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from crs_app.accounts.first_administrator import FIRST_USERNAME, first_administrator_link
from crs_app.accounts.people import RefusedError


class Command(BaseCommand):
    help = "Create the first administrator of a site, and print the one-time link of that user."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--username", default=FIRST_USERNAME)
        parser.add_argument("--first-name", default="")
        parser.add_argument("--last-name", default="")
        parser.add_argument(
            "--site", default="", help="where the site is served, such as https://crs.example"
        )

    def handle(
        self, *, username: str, first_name: str, last_name: str, site: str, **_options: Any
    ) -> None:
        try:
            path = first_administrator_link(username, first_name, last_name)
        except RefusedError as refused:
            raise CommandError(str(refused)) from None
        self.stdout.write(f"{(site or _site()).rstrip('/')}{path}")


def _site() -> str:
    """Return where the site is served, as far as the settings know it."""
    hosts = [host for host in settings.ALLOWED_HOSTS if host[:1].isalpha() and host != "localhost"]
    return f"https://{hosts[0]}" if settings.HTTPS and hosts else "http://localhost:8000"

import errno
import os
import socket
import sys
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from crs_app.accounts.demo import SIGN_INS, where_sign_ins_are
from crs_app.accounts.first_administrator import has_administrator
from crs_app.arguments import LAST_PORT, whole_number
from crs_app.database_roles import check_web_role

# Compared alone, never bound to.
_OF_THIS_MACHINE: Final = frozenset({"127.0.0.1", "::1", "0.0.0.0"})  # nosec B104 # noqa: S104


def check_is_free(host: str, port: int) -> None:
    """Raise CommandError where something listens at ``port`` already, or nobody may."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        host.encode("idna")  # what is no name of a machine is none for the socket either
        socket.create_server((host, port), family=family).close()
    except (OSError, UnicodeError) as error:
        is_used = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        why = "is in use" if is_used else f"cannot be used ({error})"
        raise CommandError(
            f"Port {port} of {host} {why}. If this site is served there already, open that one; "
            f"otherwise choose another port: make run PORT={port + 1}"
        ) from error


class Command(BaseCommand):
    help = "Migrate, fill a demonstration ward the first time, and serve."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", default=8000, type=whole_number(1, LAST_PORT))

    def handle(self, *, host: str, port: int, **_options: Any) -> None:
        """Serve, in place of this process; raise CommandError where the port is taken."""
        check_is_free(host, port)
        call_command("migrate", verbosity=0)
        check_web_role()
        # Only the local database is there to try things out.
        if (
            not os.environ.get("DATABASE_URL")
            and not get_user_model().objects.filter(is_active=True).exists()
        ):
            call_command("demo_users", verbosity=0)
            call_command("demo_ward")
        if not settings.DEBUG:
            call_command("collectstatic", interactive=False, verbosity=0)
        # A passkey belongs to a name, never to an address.
        name = "localhost" if host in _OF_THIS_MACHINE else host
        self.stdout.write(f"\nOpen http://{name}:{port}/   (Ctrl-C ends it)")
        if SIGN_INS.exists():
            is_seen_now = self.stdout.isatty()
            self.stdout.write(f"\n{SIGN_INS.read_text() if is_seen_now else where_sign_ins_are()}")
        if not has_administrator():
            self._print_first_administrator(f"http://{host}:{port}")
        self.stdout.flush()
        options = ["--config", "python:crs_app.gunicorn_config", "--bind", f"{host}:{port}"]
        gunicorn = [sys.executable, "-m", "gunicorn", "crs_app.wsgi", *options]
        os.chdir(settings.BASE_DIR)
        command = [*gunicorn, "--log-level", "warning"]
        os.execv(sys.executable, command)  # nosec B606 # noqa: S606 - no shell

    def _print_first_administrator(self, site: str) -> None:
        """Print the link of the first administrator to a terminal, never into a file."""
        if self.stdout.isatty():
            self.stdout.write("\nNo administrator exists. By this link, once and for 24 hours:")
            call_command("create_first_administrator", site=site, stdout=self.stdout)
        else:
            self.stdout.write(
                "\nNo administrator exists: `manage.py create_first_administrator` prints a link."
            )

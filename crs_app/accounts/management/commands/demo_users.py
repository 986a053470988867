import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crs_app.accounts.demo import create_demo_users


class Command(BaseCommand):
    help = "Create users to try the system with, and print their sign-ins."

    def handle(self, *, verbosity: int, **_options: Any) -> None:
        if os.environ.get("DATABASE_URL"):
            raise CommandError(
                "DATABASE_URL is set: demonstration users are for the local database."
            )
        sign_ins = create_demo_users()
        if verbosity:
            self.stdout.write(sign_ins)

from pathlib import Path
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError, CommandParser

from crs_app.operations.programs import OperationsError, keeper_address, owner_address
from crs_app.operations.restore import restore


class Command(BaseCommand):
    help = (
        "Put a backup in the place of the database, which is kept under another name. It is loaded "
        "into a new database and verified first; until then nothing changes. Stop the site before."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="NAME.dump; NAME.dump.json is needed too")

    def handle(self, *, file: Path, **_options: Any) -> None:
        owner = None
        try:
            owner = owner_address()
            restored, kept = restore(file, owner, keeper_address(), self.stdout.write)
        except (OperationsError, psycopg.Error) as error:
            raise CommandError(str(error)) from error
        manifest = restored.manifest
        self.stdout.write(
            f"The database {owner.name} is now the backup of {manifest.at}; its last act was "
            f"recorded at {manifest.contents.last_act_at or 'no time: nothing was charted'}.\n"
            f"The replaced database is kept as {kept}. Start the site; look at it; when nothing "
            f'of the old one is needed: DROP DATABASE "{kept}".'
        )

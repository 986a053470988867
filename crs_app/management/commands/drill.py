from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError, CommandParser

from crs_app.operations.drills import drill_backup, drill_point_in_time
from crs_app.operations.programs import OperationsError, keeper_address, owner_address
from crs_app.operations.standby_drill import drill_standby

PARTS = ("backup", "point-in-time", "standby")


class Command(BaseCommand):
    help = (
        "Prove that what is stored can be brought back, with figures. backup: back up this "
        "database (or take --file), restore it into a new one, verify and remove that; the site "
        "serves on. point-in-time: kill a new PostgreSQL and recover it from its archived log. "
        "standby: kill a new PostgreSQL under load; a second one, which has every save, takes over."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
        parser.add_argument("--file", type=Path, help="a backup, in place of a new one")

    def handle(self, *, parts: list[str], file: Path | None, **_options: Any) -> None:
        for part in parts:
            if part not in PARTS:
                raise CommandError(f"There is no drill {part!r}; there are {', '.join(PARTS)}.")
        for part in parts or PARTS:
            self.stdout.write(f"Drill: {part}")
            try:
                if part == "backup":
                    owner, keeper = owner_address(), keeper_address()
                    figures = drill_backup(file, owner, keeper, self.stdout.write)
                elif part == "standby":
                    figures = drill_standby(self.stdout.write)
                else:
                    figures = drill_point_in_time(self.stdout.write)
            except (OperationsError, psycopg.Error) as error:
                raise CommandError(f"The drill failed. {error}") from error
            self._print(figures)

    def _print(self, figures: Mapping[str, object]) -> None:
        for name, value in figures.items():
            self.stdout.write(f"  {name.replace('_', ' ')}: {value}")

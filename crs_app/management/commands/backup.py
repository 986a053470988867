from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from crs_app.arguments import whole_number
from crs_app.operations.backup import LONGEST_KEPT_DAYS, default_file, make_backup, remove_old
from crs_app.operations.last_runs import LAST_BACKUP, NotNotedError, write_last_run
from crs_app.operations.manifest import Manifest
from crs_app.operations.programs import OperationsError, owner_address


class Command(BaseCommand):
    help = (
        "Make a backup of the whole database while the site is used: a dump and its "
        "manifest. Backups in a folder are removed when they are too old; a named file never is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--file", type=Path, help="the file to write; it must not be there")
        where.add_argument("--dir", type=Path, help="the folder (CRS_BACKUPS_DIR)")
        parser.add_argument(
            "--keep-days",
            type=whole_number(1, LONGEST_KEPT_DAYS),
            default=settings.BACKUPS_KEPT_DAYS,
            help="remove older backups of the folder; the newest seven stay",
        )

    def handle(
        self, *, file: Path | None, dir: Path | None, keep_days: int, **_options: Any
    ) -> None:
        folder = dir or settings.BACKUPS_DIR
        written = file or default_file(folder)
        try:
            self._note(written, make_backup(written, owner_address()))
            removed = [] if file else remove_old(folder, keep_days)
        except (OperationsError, NotNotedError) as error:
            raise CommandError(str(error)) from error
        if removed:
            self.stdout.write(f"Removed as too old: {', '.join(path.name for path in removed)}.")

    def _note(self, written: Path, manifest: Manifest) -> None:
        rows = sum(manifest.contents.rows.values())
        self.stdout.write(
            f"{written}: {manifest.bytes} bytes, {rows} rows, SHA-256 {manifest.sha256}."
        )
        figures = {
            "file": str(written),
            "bytes": manifest.bytes,
            "rows": rows,
            "acts": manifest.contents.rows.get("patients_chartingact", 0),
            "last_act_at": manifest.contents.last_act_at,
        }
        write_last_run(LAST_BACKUP, figures)

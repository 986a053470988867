from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from crs_app.operations.partitions import convert
from crs_app.operations.programs import OperationsError, owner_address


class Command(BaseCommand):
    help = (
        "Convert acts and entries to hash partitions by course while the site is in use, when a "
        "table passes 10 million rows. If it is interrupted, run it again: it continues where it "
        "stopped. The old tables stay until --drop-old."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--partitions",
            type=int,
            choices=(2, 4, 8, 16, 32, 64),
            default=convert.PARTITIONS,
            help="how many of each table (%(default)s)",
        )
        instead = parser.add_mutually_exclusive_group()
        instead.add_argument(
            "--abandon", action="store_true", help="undo a conversion that is not complete"
        )
        instead.add_argument(
            "--drop-old", action="store_true", help="drop the old tables of a finished conversion"
        )

    def handle(self, **options: Any) -> None:
        try:
            if options["abandon"]:
                convert.abandon(owner_address())
                self.stdout.write("The conversion is undone; the site has its old tables.")
            elif options["drop_old"]:
                convert.drop_old(owner_address())
                self.stdout.write("The old tables are dropped.")
            else:
                self._convert(options["partitions"])
        except (OperationsError, psycopg.Error) as error:
            raise CommandError(str(error)) from error

    def _convert(self, partitions: int) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            raise CommandError("Run manage.py migrate first.")
        owner, web_role = owner_address(), connection.settings_dict["USER"]
        done = convert.partition_charts(owner, web_role, self.stdout.write, partitions=partitions)
        rate = (done.acts + done.entries) / done.copying_s if done.copying_s else 0
        self.stdout.write(
            f"{done.acts} acts and {done.entries} entries; {done.courses} courses copied in "
            f"{done.copying_s:.1f} s ({rate:.0f} rows a second), {done.whole_s:.1f} s in all. "
            f"Longest lock of the tables: {done.longest_lock_ms:.0f} ms, of one course: "
            f"{done.longest_course_lock_ms:.0f} ms. Restart the web processes one by one: "
            "connections from before plan each statement again and again."
        )

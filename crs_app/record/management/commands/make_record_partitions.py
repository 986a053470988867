from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from crs_app.arguments import whole_number
from crs_app.database_roles import owner_of_tables

_MAKE = """
SELECT to_char(month, 'YYYY-MM'), record_make_partition(month) FROM (
    SELECT (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ahead))::date
    FROM generate_series(0, %s::integer) AS ahead
) AS months(month)
"""


class Command(BaseCommand):
    help = (
        "Make the partitions of the record for the months to come, as the owner of the tables; "
        "migrate does it too. Where none was made, events go to the default partition."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--months", type=whole_number(1, 120), default=12, help="how many months ahead"
        )

    def handle(self, *, months: int, verbosity: int, **_options: Any) -> None:
        with owner_of_tables(), connection.cursor() as cursor:
            cursor.execute(_MAKE, [months])
            made = [month for month, is_new in cursor.fetchall() if is_new]
        if verbosity:
            self.stdout.write(f"Made: {', '.join(made) or 'none, all are there'}.")

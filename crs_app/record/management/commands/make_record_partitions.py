import time
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection, transaction

from crs_app.arguments import whole_number
from crs_app.database_roles import owner_of_tables
from crs_app.outages import LOCK_NOT_AVAILABLE, sqlstate_of

_MAKE = """
SELECT to_char(month, 'YYYY-MM'), record_make_partition(month) FROM (
    SELECT (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ahead))::date
    FROM generate_series(0, %s::integer) AS ahead
) AS months(month)
"""


_LOCK_WITHIN: Final = "1s"
_TRIES: Final = 5
_PAUSE_S: Final = 2.0


def _make(months: int) -> list[str]:
    """Make the partitions and return their months.

    A new partition locks the whole record for a moment. Whatever reads it for long (a backup, a
    verification) makes that wait, and every save would wait behind it: it gives way after a second.

    :raises CommandError: where the lock does not come.
    """
    for tries_left in reversed(range(_TRIES)):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{_LOCK_WITHIN}'")
                cursor.execute(_MAKE, [months])
                return [month for month, is_new in cursor.fetchall() if is_new]
        except OperationalError as error:
            if sqlstate_of(error) != LOCK_NOT_AVAILABLE:
                raise
            if tries_left:
                time.sleep(_PAUSE_S)
    raise CommandError(
        "No partition of the record was made: something reads or writes the record for long, such "
        "as a backup or a verification. Run manage.py make_record_partitions afterwards; until "
        "then events of a month without one go to the default partition."
    )


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
        with owner_of_tables():
            made = _make(months)
        if verbosity:
            self.stdout.write(f"Made: {', '.join(made) or 'none, all are there'}.")

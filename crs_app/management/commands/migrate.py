"""Django's ``migrate``, by the owner of the tables, who then grants the web role its rights.

The web role then stores for itself how long it may wait, and for what.
"""

from typing import Any, Final

from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.commands import migrate
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection

from crs_app.database_roles import check_web_role, grant_to, owner_of_tables
from crs_app.operations.partitions.tables import COPIED
from crs_app.outages import LOCK_NOT_AVAILABLE, sqlstate_of
from crs_app.second_machine import let_acts_alone_wait
from crs_app.time_limits import OF_WEB_ROLE, limit_own_role

_LOCK_WITHIN: Final = OF_WEB_ROLE["lock_timeout"]


def _refuse_while_partitions_are_filled() -> None:
    """Raise CommandError: a changed column would make the copies of each save fail."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [COPIED])
        if cursor.fetchone()[0] is not None:
            raise CommandError(
                "A conversion to partitions has begun. Complete it by manage.py partition_charts, "
                "or undo it by its --abandon, before you migrate."
            )


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate; raise ImproperlyConfigured where the web role can do more than it may."""
        if settings.OWNER_DATABASE is None or options["database"] != DEFAULT_DB_ALIAS:
            super().handle(*args, **options)
            return
        with owner_of_tables() as web_role:
            _refuse_while_partitions_are_filled()
            self._migrate(*args, **options)
            if "record_event" in connection.introspection.table_names():
                self._make_partitions()
            grant_to(web_role)
            check_web_role(web_role)
        limit_own_role()
        let_acts_alone_wait()

    def _migrate(self, *args: Any, **options: Any) -> None:
        """Migrate, and wait for no table longer than a save may: all would wait behind it.

        Raises CommandError where something uses a table for longer.
        """
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [_LOCK_WITHIN])
        try:
            super().handle(*args, **options)
        except OperationalError as error:
            if sqlstate_of(error) != LOCK_NOT_AVAILABLE:
                raise
            raise CommandError(
                "A table is in use for long, such as by a backup, a verification or a web process "
                "that still serves. The last migration named above was not applied, those before "
                "it are. Wait for it or stop it, then run manage.py migrate again."
            ) from error

    def _make_partitions(self) -> None:
        try:
            call_command("make_record_partitions", verbosity=0)
        except CommandError as error:  # the next months have theirs from the run before
            self.stderr.write(str(error))

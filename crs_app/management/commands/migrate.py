"""Django's ``migrate``, by the owner of the tables, who then grants the web role its rights."""

from typing import Any

from django.conf import settings
from django.core.management.commands import migrate
from django.db import DEFAULT_DB_ALIAS, connection

from crs_app.database_roles import check_web_role, grant_to


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate; raise ImproperlyConfigured where the web role can do more than it may."""
        if settings.OWNER_DATABASE is None or options["database"] != DEFAULT_DB_ALIAS:
            super().handle(*args, **options)
            return
        web = dict(connection.settings_dict)
        self._connect_with(settings.OWNER_DATABASE)
        try:
            super().handle(*args, **options)
            grant_to(web["USER"])
            check_web_role(web["USER"])
        finally:
            self._connect_with(web)

    def _connect_with(self, address: dict[str, Any]) -> None:
        connection.close()
        parts = ("HOST", "PORT", "USER", "PASSWORD", "NAME")
        options = {**connection.settings_dict["OPTIONS"], **address["OPTIONS"]}
        connection.settings_dict.update({part: address[part] for part in parts}, OPTIONS=options)

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class AccountsConfig(AppConfig):
    name = "crs_app.accounts"

    def ready(self) -> None:
        """Refuse to start with a role that is misspelt: its users would need no second factor."""
        from crs_app.accounts.models import PEOPLE

        unknown = settings.SECOND_FACTOR_ROLES - set(dict(PEOPLE))
        if unknown:
            raise ImproperlyConfigured(
                f"CRS_SECOND_FACTOR_ROLES names no role: {', '.join(sorted(unknown))}. "
                f"Roles are {', '.join(dict(PEOPLE))}."
            )

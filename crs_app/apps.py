"""The application that is the project itself."""

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "crs_app"

    def ready(self) -> None:
        """Register the checks of `manage.py check`."""
        from crs_app import host_check, pooler_check  # noqa: F401

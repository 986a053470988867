"""The Django app of the chart."""

from django.apps import AppConfig


class PatientsConfig(AppConfig):
    """Names the app; nothing happens at start-up."""

    name = "patients"
    default_auto_field = "django.db.models.BigAutoField"

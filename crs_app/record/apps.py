from django.apps import AppConfig


class RecordConfig(AppConfig):
    name = "crs_app.record"

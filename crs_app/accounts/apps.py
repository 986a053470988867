from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "crs_app.accounts"

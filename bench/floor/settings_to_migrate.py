"""The product's settings and the floor's table, to prepare one database for both."""

from crs_app.settings import *  # noqa: F403 - settings on top of settings

INSTALLED_APPS = [*INSTALLED_APPS, "bench.floor"]  # noqa: F405

"""A copy of the source, for tests that change it or start a server that writes into it."""

import shutil
from pathlib import Path

from django.conf import settings

SOURCE = Path(settings.BASE_DIR)
# Modules that another process compiles at the moment, and those that pytest compiled for itself.
UNFINISHED = shutil.ignore_patterns("*.pyc.*", "*-pytest-*")


def copy_source(to: Path) -> Path:
    """Copies the source to a new folder, without what is installed or stored in this one.

    Compiled modules come with it: Python compares them with the time and size of their source.
    """
    for name in ("crs_app", "grading", "patients", "templates", "static", "tests"):
        shutil.copytree(SOURCE / name, to / name, ignore=UNFINISHED)
    shutil.copy(SOURCE / "manage.py", to)
    (to / "node_modules").symlink_to(SOURCE / "node_modules")
    return to

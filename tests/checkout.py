"""A copy of the source, for tests that change it or start a server that writes into it."""

import shutil
from pathlib import Path

from django.conf import settings

SOURCE = Path(settings.BASE_DIR)


def copy_source(to: Path) -> Path:
    """Copies the source to a new folder, without what is installed or stored in this one."""
    for name in ("crs_app", "grading", "patients", "templates", "static", "tests"):
        shutil.copytree(SOURCE / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(SOURCE / "manage.py", to)
    (to / "node_modules").symlink_to(SOURCE / "node_modules")
    return to

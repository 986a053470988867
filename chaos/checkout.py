"""A copy of the source, for a site that is broken on purpose and for tests that change code."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).resolve().parent.parent
# Modules that another process compiles at the moment, and those that pytest compiled for itself.
UNFINISHED: Final = shutil.ignore_patterns("*.pyc.*", "*-pytest-*")


def copy_source(to: Path) -> Path:
    """Copy the source to a new folder, without what is installed or stored in this one.

    Compiled modules come with it: Python compares them with the time and size of their source.
    """
    for name in ("crs_app", "grading", "patients", "templates", "static", "tests"):
        shutil.copytree(SOURCE / name, to / name, ignore=UNFINISHED)
    shutil.copy(SOURCE / "manage.py", to)
    (to / "node_modules").symlink_to(SOURCE / "node_modules")
    return to

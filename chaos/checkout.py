"""A copy of the source, for a site that is broken on purpose and for tests that change code."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).resolve().parent.parent


def copy_source(to: Path) -> Path:
    """Copy the source to a new folder, without what is installed or stored in this one."""
    for name in ("crs_app", "grading", "patients", "templates", "static", "tests"):
        shutil.copytree(SOURCE / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(SOURCE / "manage.py", to)
    (to / "node_modules").symlink_to(SOURCE / "node_modules")
    return to

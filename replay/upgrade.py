"""Drill of an upgrade: the release before is filled with data, then this one takes it over.

Command line: ``python -m replay.upgrade [REF]``. Code and data stand in one folder of its own, as
in a checkout: the local PostgreSQL of the release before keeps the data, and the files of this
checkout take the place of its code. Nothing of this checkout's own data is read or written.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from replay.courses import BASE_DIR, known_courses
from replay.earlier import NoSuchCommitError, checkout_of
from replay.release import previous_release

_EVERY: Final = 9
"""One of so many known courses is charted: about a hundred, in about two minutes."""
_CODE: Final = ("crs_app", "grading", "patients", "templates", "static")
_FACTS: Final = """
from hashlib import sha256
from django.db import connection
def read(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()
entries = read("SELECT id::text, kind, at::text, body::text FROM patients_entry ORDER BY id")
grades = read(
    "SELECT course_id::text, valid::text, grade, at_most, lower(known)::text"
    " FROM patients_gradeperiod ORDER BY 1, 2, 5")
print("FACTS", len(entries), sha256(repr(entries).encode()).hexdigest(), len(grades),
      sha256(repr([row[:4] for row in grades]).encode()).hexdigest())
"""


class DrillFailedError(Exception):
    """A step of the drill did not do what it must."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the drill against the release before, or the commit or tag of the first argument."""
    named = sys.argv[1:] if arguments is None else arguments
    ref = named[0] if named else previous_release()
    try:
        with checkout_of(ref) as folder:
            return _drill(ref, folder)
    except (DrillFailedError, NoSuchCommitError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _drill(ref: str, folder: Path) -> int:
    (folder / "node_modules").symlink_to(BASE_DIR / "node_modules")
    files = course_files(folder / "courses")
    try:
        _manage(folder, "migrate", "--noinput", "--verbosity", "0")
        _say(f"{ref}: {_last_line(_manage(folder, 'demo_ward'))}")
        _import(folder, files[1:])
        _say(f"{ref}: {_last_line(_manage(folder, 'verify_grades'))}")
        before = _facts(folder)
        _take_over(folder)
        _manage(folder, "migrate", "--noinput", "--verbosity", "0")
        after = _facts(folder)
        if before != after:
            raise DrillFailedError(f"entries or grades differ after migrate: {before}, {after}")
        _say(f"this release: {after[0]} entries and {after[2]} grade periods as before")
        differing = _manage(folder, "verify_grades", allowed=(0, 1))
        _say(f"this release, before regrade: {_last_line(differing)}")
        _say(f"this release: {_last_line(_manage(folder, 'regrade'))}")
        _import(folder, files[:1])
        _say(f"this release: {_last_line(_manage(folder, 'verify_grades'))}")
        _manage(folder, "verify_audit")
        _say("this release: the record is whole")
    finally:
        _manage(folder, "stop_database", allowed=(0, 1))
    return 0


def course_files(folder: Path) -> list[str]:
    """Write course files, each of a patient of its own, and return their paths."""
    folder.mkdir()
    paths = []
    for number, (_, document) in enumerate(list(known_courses())[::_EVERY]):
        path = folder / f"{number}.json"
        patient = document["patient"] | {"mrn": f"DRILL{number}", "name": f"Drill {number}"}
        path.write_text(json.dumps(document | {"patient": patient}), "utf-8")
        paths.append(str(path))
    return paths


def _import(folder: Path, files: Sequence[str]) -> None:
    printed = _manage(folder, "import_course", *files, allowed=(0, 1))
    imported = sum(" entries, course " in line for line in printed.splitlines())
    _say(f"{imported} of {len(files)} course files charted")
    if not imported:
        raise DrillFailedError(printed)


def _take_over(folder: Path) -> None:
    """Put the code of this checkout in the place of the earlier code; data stay."""
    for name in _CODE:
        shutil.rmtree(folder / name)
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(BASE_DIR / name, folder / name, ignore=ignored)
    shutil.copy(BASE_DIR / "manage.py", folder)


def _facts(folder: Path) -> list[str]:
    """Return number and digest of the entries, and of the grade periods."""
    printed = _manage(folder, "shell", "--verbosity", "0", "-c", _FACTS)
    facts = [line.split()[1:] for line in printed.splitlines() if line.startswith("FACTS ")]
    if not facts:
        raise DrillFailedError(printed)
    return facts[0]


def _manage(folder: Path, *words: str, allowed: Sequence[int] = (0,)) -> str:
    """Run a command of manage.py there and return what it printed."""
    mine = ("CRS_", "DATABASE_URL", "DJANGO_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
    run = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if run.returncode not in allowed:
        raise DrillFailedError(f"{words[0]} ended with {run.returncode}:\n{run.stdout[-2000:]}")
    return run.stdout


def _last_line(printed: str) -> str:
    lines = [line for line in printed.splitlines() if line.strip()]
    return lines[-1] if lines else "nothing printed"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

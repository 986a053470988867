"""Grade courses by the engine of another commit, in a folder of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from replay.courses import BASE_DIR, Named
from replay.history import History, history_of


class NoSuchCommitError(Exception):
    """git knows no commit or tag of this name, or has no such folder in it."""


@contextmanager
def checkout_of(ref: str, *folders: str) -> Iterator[Path]:
    """Lend a folder with the files of ``ref``, a commit or tag; of ``folders`` alone, where named.

    Raises NoSuchCommitError.
    """
    command = ["git", "archive", "--format=tar", ref, *folders]
    try:
        archive = subprocess.run(command, cwd=BASE_DIR, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise NoSuchCommitError(f"{ref}: git is not installed") from error
    if archive.returncode:
        raise NoSuchCommitError(f"{ref}: {archive.stderr.decode(errors='replace').strip()}")
    with TemporaryDirectory() as folder, tarfile.open(fileobj=BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
        yield Path(folder)


def graded_by(
    checkout: Path, courses: Sequence[Named]
) -> tuple[dict[str, History], dict[str, str]]:
    """Grade ``courses`` by the engine in ``checkout``, through its command line.

    Returns the histories by name, and by name the reason why it refused a course.
    """
    lines = "".join(f"{json.dumps(document)}\n" for _, document in courses)
    command = [sys.executable, "-m", "grading", "--jsonl", "-"]
    run = subprocess.run(
        command, cwd=checkout, input=lines.encode(), capture_output=True, check=False
    )
    answers = run.stdout.decode().splitlines()
    if len(answers) != len(courses):
        raise RuntimeError(
            f"{len(answers)} answers for {len(courses)} courses: {run.stderr.decode()[-500:]}"
        )
    graded: dict[str, History] = {}
    refused: dict[str, str] = {}
    for (name, document), text in zip(courses, answers, strict=True):
        answer: dict[str, Any] = json.loads(text)
        if "periods" in answer:
            infused_at = datetime.fromisoformat(document["therapy"]["infused_at"])
            graded[name] = history_of(answer, infused_at)
        else:
            refused[name] = _first_of(answer["faults"])
    return graded, refused


def _first_of(faults: Sequence[str]) -> str:
    """Write the first fault, and how many more there are."""
    more = len(faults) - 1
    return faults[0] + (f" (and {more} more)" if more else "")

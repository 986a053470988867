"""The golden file: the grades that the known courses had when it was last written on purpose."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from grading.course_result import result_json
from replay.courses import Named
from replay.history import History, history_from, history_of

GOLDEN: Final = Path(__file__).with_name("golden.jsonl")


def graded_here(courses: Iterable[Named]) -> dict[str, History]:
    """Grade courses by the engine of this checkout."""
    return {
        name: history_of(
            result_json(document), datetime.fromisoformat(document["therapy"]["infused_at"])
        )
        for name, document in courses
    }


def read_golden(path: Path = GOLDEN) -> dict[str, History]:
    """Read the histories that ``write_golden`` wrote, by the name of their course."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return {line["course"]: history_from(line) for line in lines}


def write_golden(histories: Mapping[str, History], path: Path = GOLDEN) -> None:
    """Write one line for each course."""
    lines = [json.dumps({"course": name, **one.as_json()}) for name, one in histories.items()]
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
